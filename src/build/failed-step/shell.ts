import { fstatSync } from 'node:fs';
import { posix } from 'node:path';
import { isatty } from 'node:tty';
import type { ContainerSpec } from '../../container/index.ts';
import type { RunStep } from '../../dockerfile/index.ts';
import { BuildError } from '../error.ts';

/** Programs that read commands from their standard input. */
const shells = new Set(['sh', 'bash', 'ash', 'dash', 'zsh', 'ksh', 'mksh', 'fish']);

/** The shell of the step itself, where it has one; else bash or sh, whichever there is. */
export function shellOf({ args }: Pick<RunStep, 'args'>): readonly string[] {
  const [program = ''] = args;
  const name = posix.basename(program);
  if (shells.has(name) && name !== 'sh') return [program];
  const first = name === 'sh' ? program : '/bin/sh';
  return [first, '-c', `command -v bash >/dev/null 2>&1 && exec bash; exec ${quoted(first)}`];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * What our own standard streams are for a shell. Commands may also come from a pipe or a file.
 * @param what wants it: `--on-error=shell`
 * @throws BuildError NO_TERMINAL
 */
export function interactionOf(what: string): NonNullable<ContainerSpec['interaction']> {
  if (isatty(0) && isatty(1)) return 'terminal';
  if (isatty(0) || hasInput()) return 'plain';
  throw new BuildError('NO_TERMINAL', `${what} needs a terminal`, {
    hint: 'standard input is none, nor a pipe or a file with commands',
    exitCode: 125,
  });
}

function hasInput(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false; // it is closed
  }
}

/** Programs ask for it to know how to draw. */
export function terminalEnv(interaction: ContainerSpec['interaction']): readonly string[] {
  if (interaction !== 'terminal') return [];
  const own = process.env['TERM'] ?? '';
  return [`TERM=${/^[\w.+-]+$/.test(own) ? own : 'xterm'}`];
}
