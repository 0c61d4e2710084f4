import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { project } from '../places/index.ts';
import { chart } from './chart.ts';
import { fillPage, type ResultsByJob } from './page.ts';
import { type JobResult, parseResults, printResults } from './results.ts';

const resultsFolder = join(project, 'bench', 'results');
const chartsFolder = join(project, 'docs', 'performance');
const page = join(project, 'docs', 'performance.md');

/** Keeps the results of one job; those of places that were not measured now stay. */
export async function saveResults(job: string, results: readonly JobResult[]): Promise<void> {
  const file = join(resultsFolder, `${job}.json`);
  const before = existsSync(file) ? parseResults(await readFile(file, 'utf8')) : [];
  const others = before.filter(({ place }) => !results.some((result) => result.place === place));
  const all = [...others, ...results].toSorted((a, b) => b.place.localeCompare(a.place));
  await mkdir(resultsFolder, { recursive: true });
  await writeFile(file, printResults(all));
}

export async function savedResults(): Promise<ResultsByJob> {
  const names = existsSync(resultsFolder)
    ? (await readdir(resultsFolder)).filter((name) => name.endsWith('.json'))
    : [];
  const entries = names.toSorted().map(async (name): Promise<[string, readonly JobResult[]]> => {
    return [name.replace(/\.json$/, ''), parseResults(await readFile(join(resultsFolder, name), 'utf8'))];
  });
  return new Map(await Promise.all(entries));
}

/** What docs/performance.md and its charts should hold, by path below the project. */
export async function pageFiles(): Promise<ReadonlyMap<string, string>> {
  const results = await savedResults();
  const files = new Map([['docs/performance.md', fillPage(await readFile(page, 'utf8'), results)]]);
  for (const [job, own] of results) files.set(`docs/performance/${job}.svg`, chart(own));
  return files;
}

export async function writePage(): Promise<void> {
  await mkdir(chartsFolder, { recursive: true });
  for (const [path, content] of await pageFiles()) await writeFile(join(project, path), content);
}
