import { describe, expect, it } from '@jest/globals';
import { type LayerTree, mergeLayers, type TreeRow } from '../../src/inspect/index.ts';

function row(path: string, extra: Partial<TreeRow> = {}): TreeRow {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 1, mtime: 0, ...extra };
}

function layer(rows: readonly TreeRow[], deleted: readonly string[] = [], opaque: readonly string[] = []): LayerTree {
  return { rows, deleted, opaque };
}

const folder = (path: string) => row(path, { type: 'directory', mode: 0o755, size: 0 });

const cases: readonly [name: string, layers: readonly LayerTree[], expected: readonly string[]][] = [
  ['a later layer owns what it writes again', [layer([row('a'), row('b')]), layer([row('a')])], ['a 1', 'b 0']],
  ['a deletion takes everything below', [layer([folder('d'), row('d/x'), row('dx')]), layer([], ['d'])], ['dx 0']],
  ['a deletion does not touch its own layer', [layer([row('a')]), layer([row('a')], ['a'])], ['a 1']],
  [
    'an opaque folder hides what is below it',
    [layer([folder('d'), row('d/x')]), layer([folder('d'), row('d/y')], [], ['d'])],
    ['d 1', 'd/y 1'],
  ],
  ['a file in place of a folder ends the folder', [layer([folder('d'), row('d/x')]), layer([row('d')])], ['d 1']],
  [
    'a folder written again keeps its content',
    [layer([folder('d'), row('d/x')]), layer([folder('d')])],
    ['d 1', 'd/x 0'],
  ],
  ['the root itself is not listed', [layer([folder(''), row('a')])], ['a 0']],
];

describe('mergeLayers', () => {
  it.each(cases)('%s', (_name, layers, expected) => {
    expect(mergeLayers(layers).map((each) => `${each.path} ${each.layer}`)).toEqual(expected);
  });

  it('shows a hard link as what it names', () => {
    const rows = mergeLayers([layer([row('a', { size: 7 }), row('b', { type: 'hardlink', link: 'a', size: 0 })])]);
    expect(rows.map(({ path, type, size }) => [path, type, size])).toEqual([
      ['a', 'file', 7],
      ['b', 'file', 7],
    ]);
  });
});
