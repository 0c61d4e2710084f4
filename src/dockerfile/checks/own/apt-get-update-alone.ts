import { foundInRun } from '../shell/run-finding.ts';
import type { RunScript } from '../shell/run-script.ts';
import { upTo } from '../shell/script-edits.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule } from '../subject.ts';
import { type AptCall, aptCalls, isUpdate, readsLists } from './apt.ts';
import { listUses } from './apt-lists.ts';

/** Programs that install nothing themselves; with any other there the lists may be used at once. */
const harmless =
  'apt apt-get apt-key add-apt-repository apt-add-repository echo printf cat tee rm mkdir cp mv ln chmod chown touch sed grep awk curl wget gpg tar cd export set true test [ ls sleep date locale-gen'.split(
    ' ',
  );

export const aptGetUpdateAlone: FileRule = {
  name: 'AptGetUpdateAlone',
  description: 'apt-get update should be in one RUN with the installation that needs it',
  url: 'docs/checks/apt-get-update-alone.md',
  *find(subject) {
    const uses = listUses(subject);
    for (const stage of subject.stages) {
      for (const run of scriptsOf(subject, stage)) {
        const update = lonelyUpdate(run);
        const reader = uses.get(run.command)?.nextReader;
        if (update === undefined || reader === undefined) continue;
        yield foundInRun(run, upTo(update.command, update.verb), {
          message: `The package lists come from the cache, however old, when the installation in line ${reader} changes`,
        });
      }
    }
  },
};

function lonelyUpdate(run: RunScript): AptCall | undefined {
  if (!run.certain || run.commands.some(({ name }) => !harmless.includes(name))) return undefined;
  const calls = aptCalls(run);
  return calls.some(readsLists) ? undefined : calls.find(isUpdate);
}
