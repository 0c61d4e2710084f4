/** Digests a whole context a number of times, as one step of as many builds: `node bench/work/context.ts FOLDER CACHE|- TIMES`. See jobs/context.ts. */
import { digestJob } from '../../src/build/operations/select.ts';

const [path = '', cache = '-', times = '0'] = process.argv.slice(2);
const ignore = [
  'node_modules',
  '**/*.log',
  '!important.log',
  '.git',
  'dist',
  'coverage',
  '*.md',
  '!README.md',
  '.env*',
];
const root = { kind: 'directory', path, readOnly: true } as const;
const tree = { root, ignore, resetOwner: true, label: 'the build context' };
const selection = { sources: [{ kind: 'tree', tree, pattern: '.' } as const], parents: false, exclude: [] };
const statCache = cache === '-' ? undefined : cache;
for (let count = Number(times); count > 0; count--) digestJob({ kind: 'digest', selection, scratch: '', statCache });
