import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from '../measure/index.ts';

/** The checkout. */
export const project = dirname(dirname(import.meta.dirname));
const launcher = join(project, 'bin', 'slipway');

/** One of our commands, as this very Node runs it. */
export function slipway(...args: string[]): Command {
  return [process.execPath, launcher, ...args];
}

/** A program of bench/work, as this very Node runs it. */
export function work(name: string, ...args: string[]): Command {
  return [process.execPath, join(project, 'bench', 'work', `${name}.ts`), ...args];
}

/** Commands one after the other, as one: what fails ends it. Words of the shell's own are given by {@link pipeline}. */
export function script(...commands: readonly Command[]): Command {
  return ['/bin/sh', '-ec', commands.map(quoted).join('\n')];
}

/** Commands that read from one another. Fails when the last one does, as a shell's do. */
export function pipeline(...commands: readonly Command[]): Command {
  return ['/bin/sh', '-ec', commands.map(quoted).join(' | ')];
}

/** What a command writes, in a file. */
export function into(file: string, command: Command): Command {
  return ['/bin/sh', '-ec', 'out=$1; shift; exec "$@" > "$out"', 'sh', file, ...command];
}

function quoted(command: Command): string {
  return command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

/** Runs something that is not measured. @throws Error when it fails */
export async function run([program, ...args]: Command, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 1 << 26 };
  return (await promisify(execFile)(program, args, options)).stdout;
}
