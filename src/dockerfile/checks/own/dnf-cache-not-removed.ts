import { fixOf, foundInRun } from '../shell/run-finding.ts';
import { appendCommand, upTo, withSudoOf } from '../shell/script-edits.ts';
import type { ShellCommand, ShellWord } from '../shell/script.ts';
import { argumentsOf, hasWord, isScript } from '../shell/subcommand.ts';
import { imageStages } from '../stages/lineage.ts';
import { isMountedOver } from '../stages/mounts.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule } from '../subject.ts';

const programs = ['yum', 'dnf', 'dnf5', 'microdnf', 'tdnf'];
const verbs = 'install reinstall localinstall groupinstall update upgrade distro-sync makecache check-update'.split(
  ' ',
);
const withValue = [
  '-c',
  '--config',
  '--installroot',
  '--releasever',
  '--enablerepo',
  '--disablerepo',
  '-x',
  '--setopt',
];
const folders = ['/var/cache/yum', '/var/cache/dnf', '/var/cache/libdnf5', '/var/cache/tdnf'];

export const dnfCacheNotRemoved: FileRule = {
  name: 'DnfCacheNotRemoved',
  description: 'The RUN that calls yum or dnf should remove their cache',
  url: 'docs/checks/dnf-cache-not-removed.md',
  *find(subject) {
    for (const stage of imageStages(subject)) {
      for (const run of scriptsOf(subject, stage)) {
        if (!run.certain || isMountedOver(run.command, folders) || run.commands.some(mayRemove)) continue;
        const call = run.commands.map(installation).find((each) => each !== undefined);
        if (call === undefined) continue;
        const { command, verb } = call;
        const clean = withSudoOf(command, `${command.name} clean all`);
        yield foundInRun(run, upTo(command, verb), {
          message: `What ${command.name} keeps of the repositories for ${verb.text} stays in the layer`,
          fix: fixOf(`call ${command.name} clean all`, [appendCommand(run, clean, subject.ast.source.text)]),
        });
      }
    }
  },
};

function installation(command: ShellCommand): { command: ShellCommand; verb: ShellWord } | undefined {
  if (!programs.includes(command.name)) return undefined;
  const { verb } = argumentsOf(command, withValue);
  if (verb === undefined || !verbs.includes(verb.text)) return undefined;
  return command.words.some(({ text }) => text.startsWith('--installroot')) ? undefined : { command, verb };
}

/** Whether a command removes the cache, or may: a script, or a cleaning program of the image's own. */
function mayRemove(command: ShellCommand): boolean {
  const { name, words } = command;
  if (programs.includes(name)) return hasWord(command, 'clean');
  if (isScript(command) || /clean/i.test(name)) return true;
  return (name === 'rm' || name === 'find') && words.some(({ text }) => text.includes('/var/cache'));
}
