import {
  type CopyEvent,
  type Descriptor,
  type HistoryItem,
  hostPlatform,
  mediaTypes,
  type Platform,
  serializeConfig,
  serializeManifest,
} from '../../oci/index.ts';
import { timeOf } from '../plan/epoch-time.ts';
import type { PlaceOptions } from '../images/image-place.ts';
import { withAnnotations } from './annotate.ts';
import { baseDigestAnnotation, baseNameAnnotation } from './base.ts';
import type { EditableImage, ImageEdit } from './edit.ts';
import { deliver, destinationFor, type EditDestination, type EditedImage } from './edit-image.ts';
import { likeManifest } from './media-types.ts';
import type { NewLayer } from './new-layer.ts';
import { Workbench } from './workbench.ts';

export interface AppendOptions {
  /** What the history says; the layers' own entries say nothing of files. */
  readonly createdBy?: string | undefined;
  /** Seconds since 1970: the time of the image and of the new entries, which have none unless given. */
  readonly epoch?: number | undefined;
  /** Recorded as what the image is on. */
  readonly base?: string | undefined;
}

/** Puts layers on top. */
export function appendLayers(layers: readonly NewLayer[], options: AppendOptions = {}): ImageEdit {
  return ({ manifest, config }, { entry, onWarning }) => {
    if (config.platform.os === 'windows')
      onWarning(`${entry.digest} is for Windows, whose layers have files below Files/: the tars are taken as they are`);
    const { createdBy = 'slipway append', epoch, base } = options;
    const created = epoch === undefined ? undefined : timeOf(epoch);
    const item: HistoryItem = { ...(created !== undefined && { created }), createdBy };
    const grown: EditableImage['manifest'] = {
      ...manifest,
      layers: [...manifest.layers, ...layers.map(({ descriptor }) => likeManifest(manifest, descriptor))],
    };
    return {
      manifest: base === undefined ? grown : onBase(grown, base, entry),
      config: {
        ...config,
        ...(created !== undefined && { created }),
        diffIds: [...config.diffIds, ...layers.map(({ diffId }) => diffId)],
        history: [...config.history, ...layers.map(() => item)],
      },
    };
  };
}

function onBase(manifest: EditableImage['manifest'], name: string, { digest }: Descriptor) {
  return withAnnotations(manifest, {
    ...manifest.annotations,
    [baseNameAnnotation]: name,
    [baseDigestAnnotation]: digest,
  });
}

export interface NewImageOptions extends PlaceOptions, EditDestination, AppendOptions {
  /** This machine's unless given. */
  readonly platform?: Platform | undefined;
  readonly onWarning: (message: string) => void;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/** Makes an image of nothing but layers. */
export async function imageOfLayers(
  layersOf: (bench: Workbench) => Promise<readonly NewLayer[]>,
  options: NewImageOptions,
): Promise<EditedImage> {
  await using bench = new Workbench();
  const destination = destinationFor(options);
  const layers = await layersOf(bench);
  const { manifest, config } = await appendLayers(layers, options)(emptyImage(options.platform ?? hostPlatform()), {
    bench,
    entry: { mediaType: mediaTypes.ociManifest, digest: '' as Descriptor['digest'], size: 0 },
    onWarning: options.onWarning,
  });
  const described = bench.add(mediaTypes.ociConfig, serializeConfig(config));
  const descriptor = bench.add(manifest.mediaType, serializeManifest({ ...manifest, config: described }));
  return { name: await deliver(bench, descriptor, destination, options), before: undefined, descriptor };
}

function emptyImage(platform: Platform): EditableImage {
  const config = { platform, config: {}, diffIds: [], history: [] };
  const none = { mediaType: mediaTypes.ociConfig, digest: '' as Descriptor['digest'], size: 0 };
  return { manifest: { kind: 'manifest', mediaType: mediaTypes.ociManifest, config: none, layers: [] }, config };
}
