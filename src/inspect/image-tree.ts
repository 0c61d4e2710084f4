import type { LayerTree, TreeRow } from './layer-tree.ts';

/** A path of the whole image, with the layer (0 is the lowest) that put it there as it is. */
export interface ImageRow extends TreeRow {
  readonly layer: number;
}

/** The files of an image after all its layers, sorted by path. `layers` lowest first. */
export function mergeLayers(layers: readonly LayerTree[]): readonly ImageRow[] {
  const tree = new Map<string, ImageRow>();
  for (const [layer, { rows, deleted, opaque }] of layers.entries()) {
    for (const folder of opaque) dropBelow(tree, folder);
    for (const path of deleted) {
      tree.delete(path);
      dropBelow(tree, path);
    }
    for (const row of rows) put(tree, { ...row, layer });
  }
  return [...tree.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function put(tree: Map<string, ImageRow>, row: ImageRow): void {
  if (row.path === '') return;
  const before = tree.get(row.path);
  if (before?.type === 'directory' && row.type !== 'directory') dropBelow(tree, row.path);
  tree.set(row.path, row.type === 'hardlink' ? linked(tree, row) : row);
}

/** A hard link is shown as what it is a name of. */
function linked(tree: Map<string, ImageRow>, row: ImageRow): ImageRow {
  const target = tree.get((row.link ?? '').replace(/^\.?\/+/, ''));
  return target === undefined ? row : { ...target, path: row.path, layer: row.layer };
}

function dropBelow(tree: Map<string, ImageRow>, folder: string): void {
  const prefix = folder === '' ? '' : `${folder}/`;
  for (const path of tree.keys()) if (path.startsWith(prefix)) tree.delete(path);
}
