import type { RunScript } from '../shell/run-script.ts';
import type { ShellCommand, ShellWord } from '../shell/script.ts';
import { argumentsOf, hasWord } from '../shell/subcommand.ts';

/** Options of apt-get that take the next word. */
const withValue = ['-o', '--option', '-c', '--config-file', '-t', '--target-release', '--default-release', '-a', '-S'];

/** A call of apt-get, or of apt, which understands the same. */
export interface AptCall {
  readonly command: ShellCommand;
  readonly verb: ShellWord;
}

const known = new WeakMap<RunScript, readonly AptCall[]>();

/** The calls in a RUN, in order. */
export function aptCalls(run: RunScript): readonly AptCall[] {
  const found = known.get(run) ?? findCalls(run);
  known.set(run, found);
  return found;
}

function findCalls({ commands }: RunScript): AptCall[] {
  return commands.flatMap((command) => {
    if (command.name !== 'apt-get' && command.name !== 'apt') return [];
    const { verb } = argumentsOf(command, withValue);
    return verb === undefined || hasWord(command, '--help', '-h') ? [] : [{ command, verb }];
  });
}

const readers: readonly string[] = [
  'install',
  'upgrade',
  'dist-upgrade',
  'full-upgrade',
  'build-dep',
  'source',
  'download',
  'satisfy',
];

/** Whether it needs the package lists that `update` fetches. */
export function readsLists({ verb }: AptCall): boolean {
  return readers.includes(verb.text);
}

export function isUpdate({ verb }: AptCall): boolean {
  return verb.text === 'update';
}

export const aptLists = '/var/lib/apt/lists';
