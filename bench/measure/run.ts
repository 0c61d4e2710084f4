import { loadavg } from 'node:os';
import type { Comparison, Contender, Measurement, Sample } from './job.ts';
import { sampleOf } from './sample.ts';
import { sizeBelow } from './size.ts';

export interface RunOptions {
  /** Rounds that count, whatever the comparison says. */
  readonly rounds?: number;
  readonly warmups?: number;
  /** Before each program, untimed: so that none pays for what another has left to be written. */
  readonly settle?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface Run {
  readonly measurements: readonly Measurement[];
  /** The load of one minute before and after. */
  readonly load: readonly [before: number, after: number];
}

/**
 * Measures contenders in turns (A B C, C B A, A B C, …), so that what else the machine does strikes all alike.
 * @throws Error when one of them fails
 */
export async function compare(comparison: Comparison, options: RunOptions = {}): Promise<Run> {
  const { contenders } = comparison;
  const rounds = options.rounds ?? comparison.rounds ?? 5;
  const warmups = options.warmups ?? comparison.warmups ?? 1;
  const samples = new Map<string, Sample[]>();
  const outputs = new Map<string, number>();
  const add = (name: string, sample: Sample): void => {
    samples.set(name, [...(samples.get(name) ?? []), sample]);
  };
  const [before = Number.NaN] = loadavg();
  for (let round = 1 - warmups; round <= rounds; round += 1) {
    for (const contender of round % 2 === 0 ? contenders.toReversed() : contenders) {
      await contender.prepare?.();
      await options.settle?.();
      const sample = await sampleOf(contender, contender.command, options.signal);
      const one = await eachOf(contender, sample, options.signal);
      if (contender.output !== undefined) outputs.set(contender.name, await sizeBelow(contender.output));
      if (round < 1) continue;
      add(contender.name, sample);
      if (one !== undefined) add(perOne(contender.name), one);
    }
  }
  const [after = Number.NaN] = loadavg();
  const measurements = contenders.flatMap(({ name, role, each }) =>
    (each === undefined ? [name] : [name, perOne(name)]).map((row): Measurement => {
      const size = outputs.get(name);
      return { name: row, role, samples: samples.get(row) ?? [], ...(size === undefined ? {} : { output: size }) };
    }),
  );
  return { measurements, load: [before, after] };
}

/** What a contender's measurement of one thing is called. */
export function perOne(name: string): string {
  return `${name}, one`;
}

/** Undefined for what does its thing once. */
async function eachOf(contender: Contender, all: Sample, signal?: AbortSignal): Promise<Sample | undefined> {
  const { each, prepare } = contender;
  if (each === undefined) return undefined;
  await prepare?.();
  const fixed = await sampleOf(contender, each.fixed.command, signal);
  const count = each.times - each.fixed.times;
  return { ...all, wall: (all.wall - fixed.wall) / count, cpu: (all.cpu - fixed.cpu) / count };
}
