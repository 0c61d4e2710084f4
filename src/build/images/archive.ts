import type { Readable, Writable } from 'node:stream';
import {
  type CallOptions,
  copyGraph,
  type Descriptor,
  type Digest,
  formatReference,
  isReference,
  parseReference,
  type Platform,
} from '../../oci/index.ts';
import type { ImageForm, ImageRecord, Store } from '../../store/index.ts';
import { createDockerArchive, createOciArchive, openDockerArchive } from '../../transports/index.ts';
import { takeImage } from './take.ts';

/** Which kind of archive, and where. */
export interface SaveOptions extends CallOptions {
  readonly store: Store;
  readonly archive: 'docker' | 'oci';
  readonly destination: string | Writable;
  /** The manifest (of an OCI archive also the index) that the name stands for, unless given. */
  readonly form?: ImageForm | undefined;
}

/** An image to save, and how the user called it: a name is kept in the archive, an id is not. */
export interface SavedImage {
  readonly image: ImageRecord;
  readonly name: string;
}

/** Writes images to one archive; nothing is at the destination before it is complete. */
export async function saveImages(images: readonly SavedImage[], options: SaveOptions): Promise<void> {
  const { store, signal } = options;
  await using archive = await (options.archive === 'docker' ? createDockerArchive : createOciArchive)(
    options.destination,
  );
  for (const { image, name } of images) {
    const manifest = await rootOf({ image, name }, options);
    await copyGraph(store.target, archive, manifest, { signal });
    const full = isReference(name) ? formatReference(parseReference(name)) : '';
    await archive.tag(manifest, image.names.includes(full) ? full : '', { signal });
  }
  await archive.commit({ signal });
}

/** An archive of docker's kind holds single images. */
function rootOf({ image, name }: SavedImage, { store, archive, form, signal }: SaveOptions): Promise<Descriptor> {
  const isIndex = store.images.partsOf(name).length > 0;
  if (form !== undefined || (isIndex && archive === 'docker'))
    return store.materialize(image.id, form ?? { mediaTypes: 'oci', compression: 'gzip' }, { signal });
  return store.manifestOf(name, { signal });
}

/** Where a loaded archive goes, and what of it. */
export interface LoadOptions extends CallOptions {
  readonly store: Store;
  /** Chosen where the archive holds an index. */
  readonly platform: Platform;
}

/** An image that was in an archive, with the names that it had there. */
export interface LoadedImage {
  readonly imageId: Digest;
  readonly names: readonly string[];
}

/** Takes every image of an archive (docker's forms, or an OCI layout in a tar) into the store, with its names. */
export async function loadImages(source: string | Readable, options: LoadOptions): Promise<readonly LoadedImage[]> {
  const { store, signal } = options;
  await using archive = await openDockerArchive(source);
  const loaded: LoadedImage[] = [];
  for (const { descriptor, names } of await archive.list()) {
    const { imageId, manifest } = await takeImage(archive, descriptor, options);
    const full = names.filter(isReference).map((name) => formatReference(parseReference(name)));
    for (const name of full) await store.target.tag(manifest, name, { signal });
    loaded.push({ imageId, names: full });
  }
  return loaded;
}
