import {
  type CallOptions,
  describe,
  type Descriptor,
  type Digest,
  digestOf,
  type FetchOptions,
  type Manifest,
  mediaTypes,
  serializeManifest,
  type Target,
} from '../../oci/index.ts';
import { Readable } from 'node:stream';
import { isSlipwayError } from '../../errors.ts';
import type { ImageForm, Store } from '../../store/index.ts';
import type { BuildCache } from './build-cache.ts';
import { cacheConfigType, type CacheDocument, serializeDocument } from './document.ts';
import { hashParts } from './parts.ts';

/** What a build can tell others: the steps that it did or found done, and what it knows of content. */
export function collectDocument(cache: BuildCache): CacheDocument {
  const records = [...cache.used.values()].map(({ key, parts, diffId, parent, duration }) => ({
    key,
    diffId,
    parent,
    parts: hashParts(parts),
    created: cache.fact('created', key),
    duration: duration === undefined ? undefined : Math.round(duration),
  }));
  return { records, facts: [...cache.usedFacts].filter(({ kind }) => kind !== 'created') };
}

/** A cache manifest in memory over the layers of the store. */
export interface MadeCache {
  readonly source: Target;
  readonly descriptor: Descriptor;
  readonly blobs: ReadonlyMap<Digest, Descriptor>;
}

export interface MakeOptions extends CallOptions {
  readonly store: Store;
  readonly form: ImageForm;
  /** Whether a layer is to go with the records. */
  readonly wanted: (diffId: Digest) => boolean;
}

/** Makes blobs of the layers that are wanted and to be had, and the manifest that names them. */
export async function makeCache(document: CacheDocument, options: MakeOptions): Promise<MadeCache> {
  const { store, form, signal } = options;
  const diffIds = [...new Set(document.records.map(({ diffId }) => diffId))].filter(options.wanted);
  const found = await Promise.all(
    diffIds.map(async (diffId): Promise<readonly [Digest, Descriptor] | undefined> => {
      try {
        return [diffId, await store.layerBlob(diffId, form, { signal, allowRemote: true })];
      } catch (error) {
        if (isSlipwayError(error) && error.code === 'LAYER_UNAVAILABLE') return undefined;
        throw error;
      }
    }),
  );
  const blobs = new Map(found.filter((each) => each !== undefined));
  const config = serializeDocument(document, blobs);
  const empty = Buffer.from('{}');
  const layers = [...new Map([...blobs.values()].map((blob) => [blob.digest, blob])).values()].toSorted((a, b) =>
    a.digest < b.digest ? -1 : 1,
  );
  const manifest: Manifest = {
    kind: 'manifest',
    mediaType: form.mediaTypes === 'docker' ? mediaTypes.dockerManifest : mediaTypes.ociManifest,
    config: describe(cacheConfigType, config),
    // An empty list is not portable (image-spec, manifest.md "layers").
    layers: layers.length === 0 ? [describe(mediaTypes.ociEmpty, empty)] : layers,
  };
  const bytes = serializeManifest(manifest);
  const documents = new Map([config, empty, bytes].map((content) => [digestOf(content), content]));
  return {
    descriptor: { mediaType: manifest.mediaType, digest: digestOf(bytes), size: bytes.length },
    blobs,
    source: overStore(store, documents),
  };
}

/** The store with some documents that it does not keep. */
function overStore({ target }: Store, documents: ReadonlyMap<Digest, Buffer>): Target {
  return {
    label: target.label,
    fetch: async (descriptor: Descriptor, options?: FetchOptions) => {
      const document = documents.get(descriptor.digest);
      return document === undefined
        ? target.fetch(descriptor, options)
        : Readable.from([document.subarray(options?.offset ?? 0)], { objectMode: false });
    },
    exists: async (descriptor, options) => documents.has(descriptor.digest) || target.exists(descriptor, options),
    push: (descriptor, content, options) => target.push(descriptor, content, options),
    resolve: (reference, options) => target.resolve(reference, options),
    tag: (descriptor, reference, options) => target.tag(descriptor, reference, options),
    referrers: (digest, artifactType, options) => target.referrers(digest, artifactType, options),
  };
}
