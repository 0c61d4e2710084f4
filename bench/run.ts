/** Measures Slipway beside its peers: `npm run bench -- [NAME…] [--json]`. Never part of the tests. */
import { compare, type Comparison, report } from './harness.ts';
import { startup } from './startup.ts';

const comparisons: Readonly<Record<string, () => Comparison | Promise<Comparison>>> = { startup };

const words = process.argv.slice(2);
const names = words.filter((word) => word !== '--json');
for (const name of names.length === 0 ? Object.keys(comparisons) : names) {
  const make = comparisons[name];
  if (make === undefined) {
    process.stderr.write(`no such benchmark: ${name}; there are: ${Object.keys(comparisons).join(', ')}\n`);
    process.exitCode = 2;
    continue;
  }
  const comparison = await make();
  const measurements = await compare(comparison);
  const text = words.includes('--json')
    ? JSON.stringify({ title: comparison.title, measurements })
    : report(comparison.title, measurements);
  process.stdout.write(`${text}\n`);
}
