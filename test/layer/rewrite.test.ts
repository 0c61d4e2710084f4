import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { listEntries, type Rewriting, rewriteLayers, TarReader, type TarEntry } from '../../src/layer/index.ts';
import { type MadeEntry, tarOf } from '../build/edit/images.ts';

type Layer = readonly MadeEntry[];

async function rewrite(how: Rewriting, layers: readonly Buffer[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const open = async function* (path: string) {
    const bytes = layers[Number(path)] ?? Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
  };
  for await (const piece of rewriteLayers(how, open)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function flat(layers: readonly Layer[]): Promise<string[]> {
  const tars = layers.map((layer, at) => (at % 2 === 0 ? tarOf(layer) : gzipSync(tarOf(layer))));
  const how = { kind: 'flatten', layers: tars.map((_, at) => String(at)) } as const;
  const made = await rewrite(how, tars);
  expect(await rewrite(how, tars)).toEqual(made);
  return shown(made);
}

/** Each entry in a line: name, what it is, content. */
function shown(tar: Buffer): string[] {
  const lines: string[] = [];
  let content = '';
  let last: TarEntry | undefined;
  const reader = new TarReader({
    entry(entry) {
      last = entry;
      content = '';
    },
    data: (bytes) => void (content += bytes.toString()),
    hole: (length) => void (content += `<${length}>`),
    endEntry() {
      const type =
        last?.type === 'directory' ? '/' : last?.linkName === undefined ? '' : last.type === 'symlink' ? '->' : '=';
      lines.push(
        `${last?.name.toString()}${type}${last?.linkName?.toString() ?? ''}${content === '' ? '' : `:${content}`}`,
      );
    },
  });
  reader.write(tar);
  reader.end();
  expect(reader.warnings).toEqual([]);
  return lines;
}

const file = (name: string, content: string): MadeEntry => ({ name, content });
const folder = (name: string): MadeEntry => ({ name, type: 'directory' });
const symlink = (name: string, link: string): MadeEntry => ({ name, link, type: 'symlink' });
const hardlink = (name: string, link: string): MadeEntry => ({ name, link, type: 'hardlink' });

describe('layers become one', () => {
  it.each<readonly [string, readonly Layer[], readonly string[]]>([
    ['what is above replaces', [[file('a', '1'), file('b', '2')], [file('a', '3')]], ['b:2', 'a:3']],
    ['folders come first, in order', [[file('z/f', '1'), folder('z')], [folder('a')]], ['a/', 'z/', 'z/f:1']],
    ['a whiteout deletes', [[folder('d'), file('d/f', '1'), file('g', '2')], [file('d/.wh.f', '')]], ['d/', 'g:2']],
    ['a whiteout deletes a folder', [[folder('d'), file('d/f', '1')], [file('.wh.d', '')]], []],
    ['a whiteout spares its own layer', [[file('f', '1')], [file('f', '2'), file('.wh.f', '')]], ['f:2']],
    [
      'an opaque folder hides what is below, wherever its mark stands',
      [
        [folder('d'), file('d/old', '1'), folder('d/s'), file('d/s/old', '1')],
        [file('d/new', '2'), file('d/.wh..wh..opq', ''), folder('d')],
      ],
      ['d/', 'd/new:2'],
    ],
    ['a file takes the place of a folder', [[folder('d'), file('d/f', '1')], [file('d', '2')]], ['d:2']],
    ['a folder takes the place of a file', [[file('d', '1')], [folder('d'), file('d/f', '2')]], ['d/', 'd/f:2']],
    ['a folder named again keeps what is in it', [[folder('d'), file('d/f', '1')], [folder('d')]], ['d/', 'd/f:1']],
    [
      'a link to a folder is followed',
      [[folder('usr'), symlink('lib', 'usr')], [file('lib/f', '1')]],
      ['usr/', 'lib->usr', 'usr/f:1'],
    ],
    [
      '… also for what is deleted',
      [[file('usr/f', '1'), symlink('lib', '/usr')], [file('lib/.wh.f', '')]],
      ['lib->/usr'],
    ],
    ['… and never out of the root', [[symlink('up', '../../..')], [file('up/f', '1')]], ['up->../../..', 'f:1']],
    ['names of one file stay one file', [[file('a', '1'), hardlink('b', 'a')], [folder('x')]], ['x/', 'a:1', 'b=a']],
    [
      'a name whose first was deleted has the content',
      [[file('a', '1'), hardlink('b', 'a')], [file('.wh.a', '')]],
      ['b:1'],
    ],
    [
      'a name whose first was replaced has the old content',
      [[file('a', '1'), hardlink('b', 'a')], [file('a', '2')]],
      ['b:1', 'a:2'],
    ],
    ['a link to a file of a lower layer', [[file('a', '1')], [hardlink('b', 'a')]], ['a:1', 'b=a']],
  ])('%s', async (_, layers, expected) => {
    expect(await flat(layers)).toEqual(expected);
  });

  it('a link to nothing and an endless way are refused', async () => {
    await expect(flat([[hardlink('a', 'none')]])).rejects.toMatchObject({ code: 'LINK_TARGET_MISSING' });
    await expect(flat([[symlink('a', 'b'), symlink('b', 'a'), file('a/f', '')]])).rejects.toMatchObject({
      code: 'UNSAFE_ENTRY',
    });
  });
});

describe('a layer is changed', () => {
  const tar = tarOf([
    folder('d'),
    file('d/f', '1'),
    file('d2', '2'),
    { ...file('late', '3'), mtimeNs: 1_800_000_000_000_000_000n },
  ]);
  const times = async (bytes: Buffer) => {
    const found: number[] = [];
    for await (const { mtimeNs } of listEntries([bytes])) found.push(Number(mtimeNs / 1_000_000_000n));
    return found;
  };

  it('paths are left out with all below them, and no others', async () => {
    const how = { kind: 'change', layer: '0', changes: { strip: ['/d/', 'none'] } } as const;
    expect(shown(await rewrite(how, [tar]))).toEqual(['d2:2', 'late:3']);
  });

  it('times are set, or brought down', async () => {
    const change = (set: number, after?: number) =>
      rewrite({ kind: 'change', layer: '0', changes: { times: { set, after } } }, [gzipSync(tar)]);
    expect(await times(await change(5))).toEqual([5, 5, 5, 5]);
    const clamped = await times(await change(1_750_000_000, 1_750_000_000));
    expect(clamped).toEqual([1_700_000_000, 1_700_000_000, 1_700_000_000, 1_750_000_000]);
  });

  it('without changes a canonical layer is the same, and a hard link to what goes is refused', async () => {
    expect(await rewrite({ kind: 'change', layer: '0', changes: {} }, [tar])).toEqual(tar);
    const linked = tarOf([file('a', '1'), hardlink('b', 'a')]);
    await expect(rewrite({ kind: 'change', layer: '0', changes: { strip: ['a'] } }, [linked])).rejects.toMatchObject({
      code: 'LINK_TARGET_MISSING',
    });
  });
});
