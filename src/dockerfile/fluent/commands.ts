import type { Passage } from './definition.ts';
import { runLine, shellLine } from './inline-text.ts';
import type { StageMount } from './mounts.ts';
import { flag, instructionLine, invalid, jsonArray } from './quoting.ts';

/** A line for a shell, or a program and its arguments. */
export type StageCommand = string | readonly string[];

/** Flags of RUN. */
export interface StageRunOptions {
  readonly mounts?: readonly StageMount[];
  readonly network?: 'default' | 'none' | 'host';
  readonly security?: 'sandbox' | 'insecure';
}

/** Durations are written `30s`, `1m30s`. */
export interface StageHealthcheckOptions {
  readonly interval?: string;
  readonly timeout?: string;
  readonly startPeriod?: string;
  readonly startInterval?: string;
  readonly retries?: number;
}

/** RUN. */
export function runCommand(command: StageCommand, options: StageRunOptions): Passage {
  const { network, security } = options;
  const mounts = [...(options.mounts ?? [])];
  const others = [
    ...(network === undefined ? [] : [flag('network', network)]),
    ...(security === undefined ? [] : [flag('security', security)]),
  ];
  const text = typeof command === 'string' ? undefined : programOf('RUN', command);
  return {
    reads: mounts.flatMap(({ reads }) => reads),
    write: (nameOf) => {
      const flags = [...mounts.map(({ write }) => write(nameOf)), ...others];
      return typeof command === 'string' ? runLine(flags, command) : instructionLine('RUN', ...flags, text ?? '');
    },
  };
}

/** CMD and ENTRYPOINT; an empty list takes an inherited one away. */
export function processLine(keyword: 'CMD' | 'ENTRYPOINT', command: StageCommand): string {
  if (typeof command !== 'string') return instructionLine(keyword, jsonArray(command));
  const text = shellLine(keyword, command);
  return instructionLine(keyword, text.startsWith('--') ? '--' : '', text);
}

/** HEALTHCHECK CMD, whose command may begin as it likes. */
export function healthcheckLine(command: StageCommand, options: StageHealthcheckOptions): string {
  const { interval, timeout, startPeriod, startInterval, retries } = options;
  const flags = Object.entries({
    interval,
    timeout,
    'start-period': startPeriod,
    'start-interval': startInterval,
    retries,
  }).flatMap(([name, value]) => (value === undefined ? [] : [flag(name, String(value))]));
  const text = typeof command === 'string' ? shellLine('HEALTHCHECK', command) : programOf('HEALTHCHECK', command);
  return instructionLine('HEALTHCHECK', ...flags, 'CMD', text);
}

export function shellInstruction(program: readonly string[]): string {
  return instructionLine('SHELL', programOf('SHELL', program));
}

function programOf(keyword: string, command: readonly string[]): string {
  if (command.length === 0) throw invalid(`${keyword} needs a command`);
  return jsonArray(command);
}
