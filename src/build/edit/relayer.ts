import type { LayerChanges, TimeChange } from '../../layer/index.ts';
import {
  type CallOptions,
  type Compression,
  type Descriptor,
  type HistoryItem,
  historyByLayer,
  type ImageConfig,
  isForeignLayerType,
} from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import { timeOf } from '../plan/epoch-time.ts';
import type { EditableImage, ImageEdit } from './edit.ts';
import { likeManifest } from './media-types.ts';
import { compressed, compressionOfLayer, type NewLayer, rewritten } from './new-layer.ts';
import type { Workbench } from './workbench.ts';

/** Layers that are not touched, counted from the lowest: those of a base, which others share. */
export interface BaseLayers {
  readonly baseLayers?: number | undefined;
}

/** Writes the layers' tars anew: without some paths, with other times, all headers in one form. */
export function changeLayers(changes: LayerChanges & BaseLayers): ImageEdit {
  const { baseLayers = 0, ...rest } = changes;
  return (image, { bench, signal }) =>
    withLayers(image, baseLayers, async (layer) => {
      const how = { kind: 'change', layer: await bench.localFile(layer, { signal }), changes: rest } as const;
      return rewritten(bench, how, { compression: compressionOfLayer(layer), signal });
    });
}

/** Compresses layers in another way; their content stays. */
export function recompress(compression: Compression): ImageEdit {
  return (image, { bench, signal }) =>
    withLayers(image, 0, async (layer, diffId) => {
      if (compressionOfLayer(layer) === compression) return undefined;
      const made = await compressed(bench, await bench.localFile(layer, { signal }), { compression, signal });
      if (made.diffId !== diffId) throw notItsContent(layer, diffId, made.diffId);
      return made;
    });
}

async function withLayers(
  { manifest, config }: EditableImage,
  from: number,
  make: (layer: Descriptor, diffId: string) => Promise<NewLayer | undefined>,
): Promise<EditableImage> {
  const layers = [...manifest.layers];
  const diffIds = [...config.diffIds];
  for (const [at, layer] of manifest.layers.entries()) {
    if (at < from || isForeignLayerType(layer.mediaType)) continue;
    const made = await make(layer, config.diffIds[at] ?? '');
    if (made === undefined) continue;
    const { annotations } = layer;
    layers[at] = likeManifest(manifest, { ...made.descriptor, ...(annotations && { annotations }) });
    diffIds[at] = made.diffId;
  }
  return { manifest: { ...manifest, layers }, config: { ...config, diffIds } };
}

function notItsContent({ digest }: Descriptor, expected: string, found: string): BuildError {
  return new BuildError('IMAGE_INVALID', `layer ${digest} unpacks to ${found}, and the config says ${expected}`);
}

/** Which layers are taken out. */
export interface LayerChoice {
  /** Counted from 0, the lowest; negative ones from the uppermost, -1. */
  readonly indexes?: readonly number[] | undefined;
  /** Of what the history says that made them. */
  readonly createdBy?: readonly RegExp[] | undefined;
}

/**
 * Takes layers out, with their entries of the history.
 * @throws BuildError OUTPUT_INVALID where one is not there
 */
export function removeLayers({ indexes = [], createdBy = [] }: LayerChoice): ImageEdit {
  return ({ manifest, config }, { entry }) => {
    const count = config.diffIds.length;
    const history = historyByLayer(config);
    const chosen = new Set(indexes.map((index) => (index < 0 ? count + index : index)));
    const missing = [...chosen].find((index) => index < 0 || index >= count);
    if (missing !== undefined)
      throw new BuildError('OUTPUT_INVALID', `${entry.digest} has ${count} layers, none with number ${missing}`);
    for (const pattern of createdBy) {
      const found = [...history.keys()].filter((at) => pattern.test(history[at]?.createdBy ?? ''));
      if (found.length === 0)
        throw new BuildError(
          'OUTPUT_INVALID',
          `no layer of ${entry.digest} was made by what matches ${pattern.source}`,
        );
      for (const at of found) chosen.add(at);
    }
    const stays = (_: unknown, at: number): boolean => !chosen.has(at);
    const gone = new Set<HistoryItem | undefined>(history.filter((_, at) => chosen.has(at)));
    return {
      manifest: { ...manifest, layers: manifest.layers.filter(stays) },
      config: {
        ...config,
        diffIds: config.diffIds.filter(stays),
        history: config.history.filter((item) => !gone.has(item)),
      },
    };
  };
}

/** Makes one layer of all, and one entry of the history. */
export function flatten({ epoch }: { readonly epoch?: number | undefined } = {}): ImageEdit {
  return async ({ manifest, config }, { bench, signal }) => {
    if (manifest.layers.length < 2) return { manifest, config };
    const layers = await localFiles(bench, manifest.layers, { signal });
    const top = manifest.layers.at(-1) ?? manifest.config;
    const made = await rewritten(bench, { kind: 'flatten', layers }, { compression: compressionOfLayer(top), signal });
    const created = epoch === undefined ? config.created : timeOf(epoch);
    const item: HistoryItem = {
      ...(created !== undefined && { created }),
      createdBy: 'slipway flatten',
      comment: `${layers.length} layers as one`,
    };
    return {
      manifest: { ...manifest, layers: [likeManifest(manifest, made.descriptor)] },
      config: {
        ...config,
        ...(created !== undefined && { created }),
        diffIds: [made.diffId],
        history: [item],
      },
    };
  };
}

async function localFiles(bench: Workbench, layers: readonly Descriptor[], options: CallOptions): Promise<string[]> {
  const paths: string[] = [];
  for (const layer of layers) paths.push(await bench.localFile(layer, options));
  return paths;
}

/** Changes the times that the config tells: of the image and of its history. */
export function changeTimes(change: TimeChange): ImageEdit {
  return ({ manifest, config }) => ({ manifest, config: timed(config, change) });
}

function timed(config: ImageConfig, { set, after }: TimeChange): ImageConfig {
  const changed = (time: string): string =>
    after !== undefined && Date.parse(time) <= after * 1000 ? time : timeOf(set);
  const history = config.history.map((item) =>
    item.created === undefined ? item : { ...item, created: changed(item.created) },
  );
  return { ...config, history, ...(config.created !== undefined && { created: changed(config.created) }) };
}
