import { loadavg } from 'node:os';
import type { Comparison, Measurement } from './harness.ts';
import { perOne } from './harness.ts';

/** The figures as a Markdown table; a ratio compares with the reference in the same run. */
export function report({ title, reference }: Comparison, measurements: readonly Measurement[]): string {
  const rows = measurements.map((row) => {
    const other = referenceOf(row, measurements, reference);
    const ratio = other === undefined ? '' : (row.median / other.median).toFixed(2);
    return [
      row.name,
      time(row.median),
      time(row.least),
      String(row.rounds),
      time(row.cpu),
      (row.memory / 1e6).toFixed(0),
      ratio,
    ];
  });
  const head = ['', 'median ms', 'least ms', 'n', 'CPU ms', 'peak MB', 'ratio'];
  const lines = [head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return [`### ${title} (load ${loadavg()[0]?.toFixed(1)})`, '', ...lines, ''].join('\n');
}

/** Whole runs are compared with whole runs, single things with single things. */
function referenceOf(
  row: Measurement,
  measurements: readonly Measurement[],
  reference = measurements[0]?.name ?? '',
): Measurement | undefined {
  const isOne = row.name.endsWith(perOne(''));
  return measurements.find(({ name }) => name === (isOne ? perOne(reference) : reference));
}

function time(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 1000 ? 1 : 0);
}
