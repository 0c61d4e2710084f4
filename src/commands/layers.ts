import { string as argument } from '@oclif/core/args';
import { boolean, integer } from '@oclif/core/flags';
import { UsageError } from '../errors.ts';
import { type ImageRow, type LayerTree, layersOf, mergeLayers, readLayerTree, type TreeRow } from '../inspect/index.ts';
import type { Digest } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import {
  escapeControls,
  formatList,
  formatMode,
  formatSize,
  formatTable,
  jsonFlag,
  listFormatFlag,
  noTruncFlag,
  requireImage,
  shortId,
  StoreCommand,
} from '../ui/index.ts';

const heads = { Index: 'LAYER', DiffID: 'DIFF ID', Size: 'SIZE', CreatedBy: 'CREATED BY' };

export default class Layers extends StoreCommand {
  static override summary = 'Show the layers of an image, the files of a layer, or which layer put which file there';
  static override ownsFiles = true;
  static override args = {
    image: argument({ required: true, description: 'Name or id' }),
    path: argument({ description: 'Only what is at or below this path' }),
  };
  static override flags = {
    files: boolean({ description: 'List the files of the whole image, with the layer of each', default: false }),
    layer: integer({ description: 'List the files of one layer: its number from the first list' }),
    'no-trunc': noTruncFlag,
    format: listFormatFlag,
    json: jsonFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Layers);
    await this.withStore(async (store) => {
      const { config } = requireImage(store, args.image);
      const layers = layersOf(config, (diffId) => store.layerSize(diffId));
      if (flags.layer !== undefined) {
        const layer = layers[flags.layer];
        if (layer === undefined)
          throw new UsageError(`${args.image} has layers 0 to ${layers.length - 1}`, { exitCode: 1 });
        return this.#showLayer(await this.#read(store, layer.diffId), args.path, flags.json);
      }
      if (flags.files || args.path !== undefined) {
        const trees: LayerTree[] = [];
        for (const { diffId } of layers) trees.push(await this.#read(store, diffId));
        return this.#showRows(mergeLayers(trees), args.path, flags.json);
      }
      if (flags.json) return this.printJson(layers);
      const rows = layers.map(({ index, diffId, size, createdBy }) => ({
        Index: String(index),
        DiffID: flags['no-trunc'] ? diffId : shortId(diffId),
        Size: size === undefined ? '' : formatSize(size),
        CreatedBy: flags['no-trunc'] || createdBy.length <= 60 ? createdBy : `${createdBy.slice(0, 59)}…`,
      }));
      this.print(formatList(rows, { heads, columns: Object.keys(heads), format: flags.format }));
    });
  }

  async #read(store: Store, diffId: Digest): Promise<LayerTree> {
    return readLayerTree(await store.openLayer(diffId, { signal: this.interrupted }));
  }

  #showLayer(tree: LayerTree, path: string | undefined, json: boolean): void {
    if (json) return this.printJson({ ...tree, rows: within(tree.rows, path) });
    this.#showRows(tree.rows, path, false);
    for (const folder of tree.opaque) this.print(`hides  /${escapeControls(folder)}/*`);
    for (const name of tree.deleted) this.print(`deletes  /${escapeControls(name)}`);
  }

  #showRows(rows: readonly (TreeRow | ImageRow)[], path: string | undefined, json: boolean): void {
    const shown = within(rows, path);
    if (json) return this.printJson(shown);
    const merged = shown.some((row) => 'layer' in row);
    const lines = shown.map((row) => [
      ...('layer' in row ? [String(row.layer)] : []),
      formatMode(row),
      `${row.uid}:${row.gid}`,
      row.device === undefined ? String(row.size) : `${row.device.major},${row.device.minor}`,
      new Date(row.mtime * 1000).toISOString().slice(0, 19).replace('T', ' '),
      escapeControls(`/${row.path}${row.link === undefined ? '' : ` -> ${row.link}`}`),
    ]);
    this.print(formatTable([[...(merged ? ['LAYER'] : []), 'MODE', 'OWNER', 'SIZE', 'MODIFIED', 'PATH'], ...lines]));
  }
}

function within<R extends TreeRow>(rows: readonly R[], path: string | undefined): readonly R[] {
  const prefix = (path ?? '').replace(/^\/+|\/+$/g, '');
  return prefix === '' ? rows : rows.filter((row) => row.path === prefix || row.path.startsWith(`${prefix}/`));
}
