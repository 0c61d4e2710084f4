import { fixOf, foundInRun } from '../shell/run-finding.ts';
import { appendCommand, upTo, withSudoOf } from '../shell/script-edits.ts';
import type { ShellCommand } from '../shell/script.ts';
import { hasWord, isScript } from '../shell/subcommand.ts';
import { imageStages } from '../stages/lineage.ts';
import { isMountedOver } from '../stages/mounts.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule } from '../subject.ts';
import { aptCalls, aptLists, isUpdate } from './apt.ts';
import { listUses } from './apt-lists.ts';

export const aptGetListsNotRemoved: FileRule = {
  name: 'AptGetListsNotRemoved',
  description: 'Package lists should be removed by the RUN that fetched them',
  url: 'docs/checks/apt-get-lists-not-removed.md',
  *find(subject) {
    const uses = listUses(subject);
    for (const stage of imageStages(subject)) {
      for (const run of scriptsOf(subject, stage)) {
        const update = aptCalls(run).find(isUpdate);
        if (update === undefined || !run.certain || isMountedOver(run.command, [aptLists])) continue;
        if (run.commands.some((command) => command.start > update.command.start && mayRemove(command))) continue;
        const remove = withSudoOf(update.command, `rm -rf ${aptLists}/*`);
        const edits =
          uses.get(run.command)?.isNeeded === true ? [] : [appendCommand(run, remove, subject.ast.source.text)];
        yield foundInRun(run, upTo(update.command, update.verb), {
          message: `The package lists that ${update.command.name} update fetches stay in the layer`,
          fix: fixOf(`remove ${aptLists}/*`, edits),
        });
      }
    }
  },
};

/** Whether a command removes the lists, or may: a script, or a cleaning program of the image's own. */
function mayRemove(command: ShellCommand): boolean {
  const { name, words } = command;
  if (name === 'apt-get' || name === 'apt') return hasWord(command, 'distclean', 'dist-clean');
  if (isScript(command) || /clean|tidy|purge/i.test(name)) return true;
  if (name !== 'rm' && name !== 'find') return false;
  return words.some(({ text }) => /\/var\/lib\/(?:apt|\*|\{)|^\/var\/lib\/?$|\blists\b/.test(text));
}
