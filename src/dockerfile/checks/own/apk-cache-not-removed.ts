import { fixOf, foundInRun } from '../shell/run-finding.ts';
import type { RunScript } from '../shell/run-script.ts';
import { insertWord, upTo } from '../shell/script-edits.ts';
import type { ShellCommand, ShellWord } from '../shell/script.ts';
import { argumentsOf, hasWord, isScript } from '../shell/subcommand.ts';
import type { Edit } from '../finding.ts';
import { imageStages } from '../stages/lineage.ts';
import { isMountedOver } from '../stages/mounts.ts';
import { scriptsOf } from '../stages/stage-scripts.ts';
import type { FileRule } from '../subject.ts';

interface ApkCall {
  readonly command: ShellCommand;
  readonly verb: ShellWord;
  /** The command behind it. */
  readonly next: ShellCommand | undefined;
}

const withValue = ['-p', '--root', '-X', '--repository', '--arch', '--cache-dir', '--keys-dir', '--repositories-file'];
const folders = ['/var/cache/apk', '/etc/apk/cache'];

export const apkCacheNotRemoved: FileRule = {
  name: 'ApkCacheNotRemoved',
  description: 'apk should leave no package index in the layer',
  url: 'docs/checks/apk-cache-not-removed.md',
  *find(subject) {
    for (const stage of imageStages(subject)) {
      for (const run of scriptsOf(subject, stage)) {
        if (!run.certain || isMountedOver(run.command, folders) || run.commands.some(mayRemove)) continue;
        const calls = apkCalls(run);
        const [first] = calls;
        if (first === undefined) continue;
        yield foundInRun(run, upTo(first.command, first.verb), {
          message: `The package index that apk ${first.verb.text} fetches stays in the layer`,
          fix: fixOf(
            'write --no-cache',
            calls.map((call) => withoutCache(run, call)),
          ),
        });
      }
    }
  },
};

/** Calls that fetch the index and keep it. */
function apkCalls({ commands }: RunScript): ApkCall[] {
  return commands.flatMap((command, index) => {
    const { verb } = argumentsOf(command, withValue);
    if (command.name !== 'apk' || verb === undefined || !/^(?:add|update|upgrade)$/.test(verb.text)) return [];
    return hasWord(command, '--no-cache', '--root', '-p', '--no-network')
      ? []
      : [{ command, verb, next: commands[index + 1] }];
  });
}

function mayRemove(command: ShellCommand): boolean {
  const { name, words } = command;
  if (name === 'apk') return hasWord(command, 'clean');
  if (isScript(command)) return true;
  return (name === 'rm' || name === 'find') && words.some(({ text }) => /\/var\/cache|\/etc\/apk\/cache/.test(text));
}

/** `update` is of no use to what fetches the index for itself: it goes, with the `&&` behind it. */
function withoutCache(run: RunScript, { command, verb, next }: ApkCall): Edit | undefined {
  if (verb.text !== 'update') return insertWord(run, verb, '--no-cache');
  if (
    next === undefined ||
    !(next.joint === '&&' || next.joint === ';') ||
    next.depth !== command.depth ||
    next.name !== 'apk'
  )
    return undefined;
  const found = run.place({ start: command.start, end: next.start });
  // The next command's first character, not the end of the line before it.
  const from = run.place({ start: next.start, end: next.end });
  return found === undefined || from === undefined ? undefined : { start: found.start, end: from.start, text: '' };
}
