import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ciNode } from '../../bench/workloads/ci-node.ts';
import { Content } from '../../bench/workloads/content.ts';
import { inputsOf } from '../../bench/inputs/index.ts';
import { diamond, manySteps } from '../../bench/workloads/steps.ts';
import { parse } from '../../src/dockerfile/index.ts';

const inputs = inputsOf('tiny');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-workloads-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('made-up content', () => {
  test('is the same each time and another for another seed', () => {
    expect(new Content(7).text(5000)).toEqual(new Content(7).text(5000));
    expect(new Content(7).text(5000)).not.toEqual(new Content(8).text(5000));
  });

  test('compresses as the sources of programs do', () => {
    const text = new Content(3).text(200_000);
    expect(text).toHaveLength(200_000);
    const ratio = text.length / gzipSync(text).length;
    expect(ratio).toBeGreaterThan(2.5);
    expect(ratio).toBeLessThan(5);
  });
});

describe('the Node application', () => {
  test('is made to the same bytes in every folder', async () => {
    await ciNode(join(folder, 'one'), inputs);
    await ciNode(join(folder, 'two'), inputs);
    expect(await digest(join(folder, 'one'))).toBe(await digest(join(folder, 'two')));
  });

  test('changes by one file, each time to something new', async () => {
    const { context, change } = await ciNode(folder, inputs);
    const seen = [await digest(context)];
    for (let at = 0; at < 2; at += 1) {
      await change();
      seen.push(await digest(context));
    }
    expect(new Set(seen).size).toBe(3);
  });
});

test.each([
  { name: 'the Node application', make: () => ciNode(folder, inputs), stages: 2, runs: 2 },
  { name: 'the diamond', make: () => diamond(folder), stages: 5, runs: 4 },
  { name: 'forty steps', make: () => manySteps(folder, 40), stages: 1, runs: 40 },
])('the Dockerfile of $name has $stages stages and $runs RUN steps', async ({ make, stages, runs }) => {
  const { context } = await make();
  const { instructions } = parse(await readFile(join(context, 'Dockerfile')));
  const keywords = instructions.map(({ name }) => name);
  expect(keywords.filter((keyword) => keyword === 'FROM')).toHaveLength(stages);
  expect(keywords.filter((keyword) => keyword === 'RUN')).toHaveLength(runs);
});

async function digest(top: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(top, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) hash.update(file.slice(top.length)).update(await readFile(file));
  return hash.digest('hex');
}
