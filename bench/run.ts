/** Measures Slipway beside its peers: `npm run bench -- [NAME…] [--json]`. Never part of the tests. See docs/benchmarks.md. */
import { context } from './context.ts';
import { compare, type Comparison } from './harness.ts';
import { language } from './language.ts';
import { memory } from './memory.ts';
import { pull } from './pull.ts';
import { rebuild } from './rebuild.ts';
import { transfersPull, transfersPush } from './registry.ts';
import { report } from './report.ts';
import { startup } from './startup.ts';
import { steps } from './steps.ts';

type Make = () => Comparison | Promise<Comparison>;

const comparisons: Readonly<Record<string, Make>> = { startup, steps, rebuild, context, pull, language };
/** Only when they are named: memory takes minutes and some 25 GB, transfers want crane (tools/fetch-newer-peers.sh). */
const byName: Readonly<Record<string, Make>> = {
  ...comparisons,
  'transfers-pull': transfersPull,
  'transfers-push': transfersPush,
  memory,
};

const words = process.argv.slice(2);
const names = words.filter((word) => word !== '--json');
for (const name of names.length === 0 ? Object.keys(comparisons) : names) {
  const make = byName[name];
  if (make === undefined) {
    process.stderr.write(`no such benchmark: ${name}; there are: ${Object.keys(byName).join(', ')}\n`);
    process.exitCode = 2;
    continue;
  }
  const comparison = await make();
  try {
    const measurements = await compare(comparison);
    const { title } = comparison;
    const text = words.includes('--json') ? JSON.stringify({ title, measurements }) : report(comparison, measurements);
    process.stdout.write(`${text}\n`);
  } finally {
    await comparison.close?.();
  }
}
