import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';

/** One thing to measure: a program run from start to end. */
export interface Contender {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Runs before each round, untimed: what brings the state back. */
  readonly prepare?: () => Promise<void>;
  /** The time is divided by this, for programs that do one thing many times. */
  readonly times?: number;
}

export interface Comparison {
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** Rounds that count; 10 unless given. One more comes first and does not. */
  readonly rounds?: number;
}

/** Milliseconds, and the peak of resident memory in bytes. */
export interface Measurement {
  readonly name: string;
  readonly least: number;
  readonly median: number;
  /** User and system time of the process and its children, median. */
  readonly cpu: number;
  readonly memory: number;
}

interface Sample {
  readonly wall: number;
  readonly cpu: number;
  readonly memory: number;
}

/**
 * Measures contenders in turns (A B C, A B C, …), so that what else the machine does strikes all alike.
 * @throws Error when one of them fails
 */
export async function compare({ contenders, rounds = 10 }: Comparison): Promise<Measurement[]> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of contenders) {
      await contender.prepare?.();
      const sample = await runOnce(contender);
      if (round > 0) samples.get(contender.name)?.push(sample);
    }
  }
  return contenders.map(({ name, times = 1 }) => summary(name, samples.get(name) ?? [], times));
}

function summary(name: string, samples: readonly Sample[], times: number): Measurement {
  const walls = samples.map(({ wall }) => wall / times);
  return {
    name,
    least: Math.min(...walls),
    median: medianOf(walls),
    cpu: medianOf(samples.map(({ cpu }) => cpu / times)),
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

async function runOnce({ command, env, cwd }: Contender): Promise<Sample> {
  const [program = '', ...args] = [...underTime, ...command];
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; stderr: string }>();
  const started = process.hrtime.bigint();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-10_000);
  });
  child.on('error', reject);
  child.on('close', (code) => resolve({ code, stderr }));
  const ended = await promise;
  const wall = Number(process.hrtime.bigint() - started) / 1e6;
  const [, user, system, memory] = new RegExp(`${marker} (\\S+) (\\S+) (\\d+)`).exec(ended.stderr) ?? [];
  if (ended.code !== 0) throw new Error(`${command.join(' ')} ended with ${ended.code}\n${ended.stderr}`);
  return { wall, cpu: (Number(user) + Number(system)) * 1000, memory: Number(memory) * 1024 };
}

/** The machine's load and the figures, as lines for people. */
export function report(title: string, measurements: readonly Measurement[]): string {
  const first = measurements[0]?.median ?? Number.NaN;
  const rows = measurements.map(({ name, least, median, cpu, memory }) =>
    [
      name.padEnd(32),
      `${median.toFixed(1).padStart(9)} ms`,
      `${least.toFixed(1).padStart(9)} ms`,
      `${cpu.toFixed(0).padStart(7)} ms`,
      `${(memory / 1e6).toFixed(0).padStart(5)} MB`,
      `${(median / first).toFixed(2).padStart(6)}x`,
    ].join(' '),
  );
  const head = `${''.padEnd(32)} ${'median'.padStart(12)} ${'least'.padStart(12)} ${'CPU'.padStart(10)} ${'memory'.padStart(8)}`;
  return [`\n${title} (load ${loadavg()[0]?.toFixed(1)})`, head, ...rows, ''].join('\n');
}
