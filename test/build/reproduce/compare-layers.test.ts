import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { compareLayers, type LayerDifference } from '../../../src/build/reproduce/compare-layers.ts';
import { type Entry, tarOf } from './tar-of.ts';

const file = (change: Partial<Entry> = {}): Entry => ({ name: 'etc/f', type: 'file', content: 'one', ...change });

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

function compare(first: readonly Entry[], second: readonly Entry[]): Promise<readonly LayerDifference[]> {
  return compareLayers(chunks(tarOf(first)), chunks(gzipSync(tarOf(second))));
}

describe('two layers', () => {
  it('are the same whatever their compression and order', async () => {
    const [a, b] = [file({ name: 'a' }), file({ name: 'b', mode: 0o600 })];
    expect(await compare([a, b], [b, a])).toEqual([]);
  });

  it.each<readonly [what: LayerDifference['what'], change: Partial<Entry>]>([
    ['content', { content: 'two' }],
    ['mode', { mode: 0o600 }],
    ['owner', { uid: 7 }],
    ['time', { mtime: 5 }],
    ['type', { type: 'directory', content: '' }],
  ])('differ in the %s of a file', async (what, change) => {
    expect(await compare([file()], [file(change)])).toEqual([{ path: 'etc/f', what }]);
  });

  it('differ in where a link leads', async () => {
    const link = (target: string): Entry => ({ name: 'l', type: 'symlink', link: target });
    expect(await compare([link('a')], [link('b')])).toEqual([{ path: 'l', what: 'link' }]);
  });

  it('differ in what only one of them has, in order of the paths', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => file({ name })) as [Entry, Entry, Entry];
    expect(await compare([a, c], [b, c])).toEqual([
      { path: 'a', what: 'removed' },
      { path: 'b', what: 'added' },
    ]);
  });
});
