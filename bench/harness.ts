import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export type Command = readonly [program: string, ...args: string[]];

/** One thing to measure: a program run from start to end. */
export interface Contender {
  readonly name: string;
  readonly command: Command;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Runs before each round, untimed: what brings the state back. */
  readonly prepare?: () => Promise<void>;
  /**
   * For programs that do one thing many times: how often, and the same program doing it not at all or once (`fixed` times), which
   * is run in the same round and taken off.
   */
  readonly each?: { readonly times: number; readonly fixed: { readonly times: number; readonly command: Command } };
}

export interface Comparison {
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** Whose median the others are given as multiples of; the first unless named. */
  readonly reference?: string;
  /** Rounds that count; 10 unless given. */
  readonly rounds?: number;
  /** Rounds before those; 1 unless given. */
  readonly warmups?: number;
  close?(): Promise<void>;
}

/** Milliseconds, and the peak of resident memory in bytes. */
export interface Measurement {
  readonly name: string;
  readonly rounds: number;
  readonly least: number;
  readonly median: number;
  /** User and system time of the process and its children, median; NaN where GNU time is not installed. */
  readonly cpu: number;
  /** Largest of all rounds, of the largest process. */
  readonly memory: number;
}

interface Sample {
  readonly wall: number;
  readonly cpu: number;
  readonly memory: number;
}

/**
 * Measures contenders in turns (A B C, C B A, A B C, …), so that what else the machine does strikes all alike.
 * @throws Error when one of them fails
 */
export async function compare({ contenders, rounds = 10, warmups = 1 }: Comparison): Promise<Measurement[]> {
  const samples = new Map<string, Sample[]>();
  const add = (name: string, sample: Sample): void => {
    samples.set(name, [...(samples.get(name) ?? []), sample]);
  };
  for (let round = 1 - warmups; round <= rounds; round += 1) {
    for (const contender of round % 2 === 0 ? contenders.toReversed() : contenders) {
      const sample = await runOnce(contender, contender.command);
      const one = contender.each === undefined ? undefined : await eachOf(contender, contender.each, sample);
      if (round < 1) continue;
      add(contender.name, sample);
      if (one !== undefined) add(perOne(contender.name), one);
    }
  }
  const names = contenders.flatMap(({ name, each }) => (each === undefined ? [name] : [name, perOne(name)]));
  return names.map((name) => summary(name, samples.get(name) ?? []));
}

/** What a contender's measurement of one thing is called. */
export function perOne(name: string): string {
  return `${name}, one`;
}

async function eachOf(contender: Contender, each: NonNullable<Contender['each']>, all: Sample): Promise<Sample> {
  const fixed = await runOnce(contender, each.fixed.command);
  const count = each.times - each.fixed.times;
  return { wall: (all.wall - fixed.wall) / count, cpu: (all.cpu - fixed.cpu) / count, memory: all.memory };
}

function summary(name: string, samples: readonly Sample[]): Measurement {
  const walls = samples.map(({ wall }) => wall);
  return {
    name,
    rounds: samples.length,
    least: Math.min(...walls),
    median: medianOf(walls),
    cpu: medianOf(samples.map(({ cpu }) => cpu)),
    memory: Math.max(...samples.map(({ memory }) => memory)),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const gnuTime = '/usr/bin/time';
const marker = 'slipway-bench';
/** GNU time knows what a process and its children used; where it is not installed only wall times are known. */
const underTime = existsSync(gnuTime) ? [gnuTime, '-f', `${marker} %U %S %M`] : [];

async function runOnce({ env, cwd, prepare }: Contender, command: Command): Promise<Sample> {
  await prepare?.();
  const [program = '', ...args] = [...underTime, ...command];
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; stderr: string }>();
  const started = process.hrtime.bigint();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let wall = Number.NaN;
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-10_000);
  });
  child.on('error', reject);
  child.on('exit', () => {
    wall = Number(process.hrtime.bigint() - started) / 1e6;
  });
  child.on('close', (code) => resolve({ code, stderr }));
  const ended = await promise;
  if (ended.code !== 0) throw new Error(`${command.join(' ')} ended with ${ended.code}\n${ended.stderr}`);
  const [, user, system, memory] = new RegExp(`${marker} (\\S+) (\\S+) (\\d+)`).exec(ended.stderr) ?? [];
  return { wall, cpu: (Number(user) + Number(system)) * 1000, memory: Number(memory) * 1024 };
}
