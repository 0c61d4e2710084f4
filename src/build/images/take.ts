import {
  type CallOptions,
  copyGraph,
  type CopyEvent,
  type Descriptor,
  digestOf,
  type Digest,
  type ImageConfig,
  type Platform,
  type Target,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { readImage } from './resolve.ts';

export interface TakeOptions extends CallOptions {
  readonly store: Store;
  readonly platform: Platform;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

export interface TakenImage {
  readonly imageId: Digest;
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
}

/** Takes the image that `root` offers for a platform into the store, layers unpacked on the way. It has no name yet. */
export async function takeImage(from: Target, root: Descriptor, options: TakeOptions): Promise<TakenImage> {
  const { store, signal, onEvent } = options;
  const image = await readImage(from, root, options.platform, { signal });
  store.expectImage(image.descriptor, image.config, image.manifest.layers);
  await copyGraph(from, store.target, image.descriptor, { signal, onEvent });
  await store.unpack(image.config.diffIds, { signal });
  return { imageId: digestOf(image.configBytes), manifest: image.descriptor, config: image.config };
}
