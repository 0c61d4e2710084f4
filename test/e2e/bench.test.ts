import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chart, type JobResult, parseResults, resultText } from '../../bench/report/index.ts';
import { strayTags } from '../bench/well-formed.ts';

const project = dirname(dirname(import.meta.dirname));
const names = ['unpack-small', 'pack-zstd-3'];

/** Whether the benchmark works, on a few files, each program once. What it took is nobody's business here. */
describe('npm run bench', () => {
  let folder: string;
  let results: readonly JobResult[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bench-smoke-'));
    const words = ['bench/run.ts', ...names, '--tiny', '--json', '--place', 'tmpfs'];
    const env = { ...process.env, SLIPWAY_BENCH_INPUTS: folder };
    results = parseResults((await promisify(execFile)(process.execPath, words, { cwd: project, env })).stdout);
  }, 180_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('measures the jobs that are named', () => {
    expect(results.map(({ job, place }) => [job, place])).toEqual(names.map((name) => [name, 'tmpfs']));
  });

  it('runs ours, the limits, and whom it finds', () => {
    for (const { measurements, subject } of results) {
      expect(measurements.map(({ role }) => role)).toEqual(expect.arrayContaining(['ours', 'limit']));
      expect(measurements.map(({ name }) => name)).toContain(subject);
      for (const { samples } of measurements) expect(samples.every(({ wall }) => wall > 0)).toBe(true);
    }
    expect(results[0]?.measurements.map(({ name }) => name)).toContain('tar xzf');
  });

  it('knows the machine', () => {
    expect(results[0]?.machine).toMatchObject({ node: process.version, kernel: expect.stringMatching(/^\d/) });
    expect(results[0]?.machine.cores).toBeGreaterThan(0);
  });

  it('draws and writes what it found', () => {
    expect(strayTags(chart(results))).toEqual([]);
    for (const result of results) {
      const table = resultText(result)
        .split('\n')
        .filter((line) => line.startsWith('|'));
      expect(table).toHaveLength(result.measurements.length + 2);
    }
  });
});
