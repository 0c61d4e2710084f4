import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeTree } from '../../bench/inputs/trees.ts';

describe('a made-up tree', () => {
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bench-inputs-'));
    file = await tree('a', 'one.tar');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function tree(seed: string, name: string): Promise<string> {
    const path = join(folder, name);
    await writeTree(path, { seed, files: 100, sizes: [100, 20_000] });
    return path;
  }

  it('is the same for the same seed, and another for another', async () => {
    const one = readFileSync(file);
    expect(one.equals(readFileSync(await tree('a', 'again.tar')))).toBe(true);
    expect(one.equals(readFileSync(await tree('b', 'other.tar')))).toBe(false);
  });

  it('is a tar for GNU tar', async () => {
    const lines = execFileSync('tar', ['-tvf', file], { encoding: 'utf8' }).trim().split('\n');
    expect(lines.filter((line) => line.startsWith('-rw-r--r-- 0/0'))).toHaveLength(100);
    expect(lines.filter((line) => line.startsWith('drwxr-xr-x 0/0'))).toHaveLength(6);
  });

  it('compresses about as files of images do', async () => {
    const content = readFileSync(file);
    const share = gzipSync(content).length / content.length;
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.65);
  });
});
