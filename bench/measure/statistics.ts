import type { Figure, Measurement } from './job.ts';

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** The middle value, of two middle ones their mean; NaN of none. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return { least: Number.NaN, median: Number.NaN, most: Number.NaN };
  return { least: Math.min(...known), median: medianOf(known), most: Math.max(...known) };
}

/** A figure of a measurement over its rounds. */
export function spread({ samples }: Measurement, figure: Figure): Spread {
  return spreadOf(samples.map((sample) => sample[figure]));
}

/** By how much one contender took more than another: the median of the differences of single rounds. */
export function difference(one: Measurement, other: Measurement, figure: Figure): number {
  return spreadOf(byRound(one, other, figure).map(([a, b]) => a - b)).median;
}

/**
 * How many times as much one contender took as another: the median of the ratios of single rounds, so that what struck a whole
 * round strikes both. Memory is compared by the largest of all rounds.
 */
export function ratio(one: Measurement, other: Measurement, figure: Figure): number {
  if (figure === 'memory' || figure === 'treeMemory') return spread(one, figure).most / spread(other, figure).most;
  const ratios = byRound(one, other, figure).map(([a, b]) => a / b);
  return spreadOf(ratios.filter(Number.isFinite)).median;
}

/** Only rounds that both have. */
function byRound(one: Measurement, other: Measurement, figure: Figure): readonly (readonly [number, number])[] {
  const rounds = Math.min(one.samples.length, other.samples.length);
  return Array.from({ length: rounds }, (_, at) => [
    one.samples[at]?.[figure] ?? Number.NaN,
    other.samples[at]?.[figure] ?? Number.NaN,
  ]);
}
