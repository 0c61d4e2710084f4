/** One piece of the language's work, a number of times: `node bench/work/language.ts WORK TIMES`. See jobs/language.ts. */
import { createIgnoreMatcher, parse } from '../../src/dockerfile/index.ts';

const size = 10_000_000;

/** Repeats a line until there are 10 MB of it. */
function fill(line: string): string {
  return line.repeat(Math.ceil(size / line.length));
}

function pairs(): string {
  const words: string[] = [];
  for (let length = 0; length < size; length += words.at(-1)?.length ?? 0) words.push(` NAME${words.length}=value`);
  return words.join('');
}

const patterns = [
  'node_modules',
  '**/node_modules',
  '**/*.log',
  '!important.log',
  '.git',
  'dist',
  'coverage',
  '**/__pycache__',
  '*.md',
  '!README.md',
  'docs/**',
  'test/**/*.snap',
  '**/.DS_Store',
  '.env*',
  'tmp/*',
];

/** 20,000 files of 1000 folders, most of them below node_modules, in a walker's order. */
function paths(): string[] {
  const counts = { src: 12, test: 10, docs: 6, node_modules: 150, dist: 6, packages: 10, '.git': 6 };
  const endings = ['ts', 'js', 'json', 'md', 'log', 'snap', 'css', 'map', 'd.ts', 'html'];
  const lines: string[] = [];
  for (const [top, count] of Object.entries(counts)) {
    for (let folder = 0; folder < count; folder++) {
      for (const inner of ['', '/lib', '/lib/internal', '/util', '/__pycache__']) {
        for (let file = 0; file < 20; file++) {
          lines.push(`${top}/part${folder}${inner}/file${file}.${endings[file % endings.length]}`);
        }
      }
    }
  }
  return lines.join('\n').split('\n'); // flat strings, as a walker's are
}

const parsing = (text: string) => () => parse(text);

/** What each work does with what it has made before. */
const works: Readonly<Record<string, () => () => unknown>> = {
  'short-runs': () => parsing(`FROM a\n${fill('RUN echo hello world, this is x\n')}`),
  'long-run': () => parsing(`FROM a\nRUN ${fill('echo hello world; ')}`),
  'continued-run': () => parsing(`FROM a\nRUN true${fill(' \\\n  && echo hello world, it is')}`),
  comments: () => parsing(`FROM a\n${fill('# this is a comment of some thirty.\n')}`),
  heredoc: () => parsing(`FROM a\nRUN <<E\n${fill('echo hello world, this is a line.\n')}E\n`),
  pairs: () => parsing(`FROM a\nENV${pairs()}\n`),
  ignore: () => {
    const files = paths();
    return () => {
      const matcher = createIgnoreMatcher(patterns);
      return files.filter((file) => matcher.matches(file));
    };
  },
};

const [name = '', times = '1'] = process.argv.slice(2);
const work = works[name]?.();
if (work === undefined) throw new Error(`no such work: ${name}`);
for (let time = 0; time < Number(times); time++) work();
