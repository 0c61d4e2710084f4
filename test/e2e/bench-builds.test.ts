import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { parseResults } from '../../bench/report/index.ts';
import { hasDebianRegistry } from '../registry/debian-registry.ts';

const project = dirname(dirname(import.meta.dirname));
const canRun = process.getuid?.() === 0 && hasDebianRegistry && existsSync('/usr/bin/time');
const why = canRun ? '' : ' (needs root, docker-registry and GNU time)';

/** Whether builders and pullers can be compared, on a tiny application, each once. What they took is nobody's business here. */
(canRun ? it : it.skip)(
  `the benchmark builds, pushes and pulls with ours and with whom it finds${why}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-builds-'));
    const names = ['build-node-changed-push', 'pull-node'];
    const words = ['bench/run.ts', ...names, '--tiny', '--json', '--place', 'tmpfs'];
    const env = { ...process.env, SLIPWAY_BENCH_INPUTS: folder };
    try {
      const results = parseResults((await promisify(execFile)(process.execPath, words, { cwd: project, env })).stdout);
      expect(results.map(({ job }) => job)).toEqual(names);
      for (const { measurements } of results) {
        const ours = measurements.find(({ name }) => name === 'slipway');
        expect(ours?.samples).toHaveLength(1);
        expect(ours?.samples[0]?.wall).toBeGreaterThan(0);
      }
      const [built, pulled] = results.map(({ measurements }) => measurements.map(({ name }) => name));
      if (existsSync('/usr/bin/buildah')) expect(built).toContain('buildah');
      if (existsSync('/usr/bin/podman')) expect(pulled).toContain('podman');
      expect(pulled).toContain('curl, gzip, tar x');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
