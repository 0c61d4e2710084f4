import { type Bar, difference, type Figure, type Measurement, ratio, spread } from '../measure/index.ts';
import type { JobResult } from './results.ts';

/** How far ours is from what was asked of it. */
export interface Verdict {
  /** What was asked, in words: `wall ≤ 0.67 × GNU tar xzf`. */
  readonly asked: string;
  /** A ratio, or milliseconds or bytes; undefined when one of the two was not measured. */
  readonly found: number | undefined;
  /** The same in words. */
  readonly answer: string;
  readonly met: boolean | undefined;
}

export function verdicts(result: JobResult): readonly Verdict[] {
  return result.bars.map((bar) => {
    const of = result.measurements.find(({ name }) => name === (bar.of ?? result.subject));
    const [other, otherName] = opponent(bar, result.measurements);
    const isComplete = of !== undefined && (otherName === '' || other !== undefined);
    const found = isComplete ? known(figureOf(of, other, bar)) : undefined;
    const whose = bar.of === undefined || bar.of === result.subject ? '' : `${bar.of}: `;
    const than = otherName === '' ? '' : bar.to === undefined ? ` beyond ${otherName}` : ` × ${otherName}`;
    return {
      asked: `${whose}${figureNames[bar.figure]} ≤ ${inWords(bar.atMost, bar)}${than}`,
      found,
      answer: found === undefined ? 'not measured' : inWords(found, bar),
      met: found === undefined ? undefined : found <= bar.atMost,
    };
  });
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

const figureNames: Readonly<Record<Figure, string>> = {
  wall: 'wall',
  cpu: 'CPU',
  memory: 'peak memory of one process',
  treeMemory: 'peak memory of all processes',
};

function opponent(bar: Bar, all: readonly Measurement[]): [measured: Measurement | undefined, name: string] {
  const { to = bar.beyond, figure } = bar;
  if (to === undefined) return [undefined, ''];
  if (typeof to === 'string') return [all.find(({ name }) => name === to), to];
  const peers = all.filter(({ role }) => role === 'peer');
  const [best] = peers.toSorted((a, b) => spread(a, figure).median - spread(b, figure).median);
  return [best, best === undefined ? 'the best peer' : `the best peer (${best.name})`];
}

function figureOf(one: Measurement, other: Measurement | undefined, { figure, to }: Bar): number {
  if (other !== undefined) return to === undefined ? difference(one, other, figure) : ratio(one, other, figure);
  const { median, most } = spread(one, figure);
  return figure === 'wall' || figure === 'cpu' ? median : most;
}

function inWords(value: number, { to, figure }: Bar): string {
  if (to !== undefined) return value.toFixed(2);
  return figure === 'wall' || figure === 'cpu' ? `${value.toFixed(1)} ms` : `${(value / 1e6).toFixed(0)} MB`;
}
