import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fillPage, jobsOfPage, pageFiles, savedResults } from '../../bench/report/index.ts';
import { madeResult } from './made-result.ts';

const project = dirname(dirname(import.meta.dirname));

describe('a page', () => {
  const page =
    'Before.\n<!-- bench:unpack -->\nold\n<!-- /bench -->\nBetween.\n<!-- bench:pack -->\n<!-- /bench -->\nAfter.\n';

  it('gets tables between its marks, and keeps what stands around them', () => {
    const filled = fillPage(page, new Map([['unpack', [madeResult(), madeResult({ place: 'ext4' })]]]));
    expect(filled).toMatch(/^Before\.\n<!-- bench:unpack -->\n/);
    expect(filled).toContain('![a layer unpacked](performance/unpack.svg)');
    expect(filled).toContain('Tmpfs, n 3, load 0.5 to 1.3, 2026-01-02:');
    expect(filled).toContain('Ext4, n 3');
    expect(filled).not.toContain('old');
    expect(filled).toContain(
      '<!-- /bench -->\nBetween.\n<!-- bench:pack -->\n\nNot measured yet.\n\n<!-- /bench -->\nAfter.\n',
    );
  });

  it('stays as it is when it is filled again', () => {
    const results = new Map([['unpack', [madeResult()]]]);
    const filled = fillPage(page, results);
    expect(fillPage(filled, results)).toBe(filled);
  });

  it('sums up all bars', () => {
    const filled = fillPage('<!-- bench:summary -->\n<!-- /bench -->', new Map([['unpack', [madeResult()]]]));
    expect(filled).toContain('| a layer unpacked | tmpfs | wall ≤ 90.0 ms | 100.0 ms | **missed** |');
  });
});

describe('docs/performance.md', () => {
  it('and its charts say what bench/results says (node bench/run.ts --page)', async () => {
    for (const [path, content] of await pageFiles()) {
      expect({ path, content: await readFile(join(project, path), 'utf8') }).toEqual({ path, content });
    }
  });

  it('has a place for every result', async () => {
    const places = jobsOfPage(await readFile(join(project, 'docs/performance.md'), 'utf8'));
    expect(places).toEqual(expect.arrayContaining([...(await savedResults()).keys()]));
  });
});
