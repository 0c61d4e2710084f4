import {
  copyGraph,
  type CallOptions,
  type CopyEvent,
  type Descriptor,
  formatReference,
  hostPlatform,
  parseReference,
  type Platform,
  targetReference,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { openSink, parseLocation, type TransportSink } from '../../transports/index.ts';
import { openImageSource, type OpenSource } from './open-source.ts';
import type { OpenRepository } from './resolve.ts';
import { takeImage } from './take.ts';

/** What of an image is copied, and what opens its places. */
export interface CopyImageOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  /** Only these of an index; all unless given. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly referrers: boolean;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/**
 * Copies an image between any two places, byte for byte. Into the store goes what this machine can run, unpacked.
 * @throws TransportError, RegistryError, CopyError of either side
 */
export async function copyImage(from: string, to: string, options: CopyImageOptions): Promise<Descriptor> {
  await using source = await openImageSource(from, options);
  const destination = parseLocation(to);
  if (!('path' in destination) && destination.kind === 'store')
    return await intoStore(source, destination.reference, options); // awaited here: the source is closed on return
  const { signal, onEvent, platforms, referrers } = options;
  const graph = { signal, onEvent, referrers, ...(platforms === undefined ? {} : { platforms }) };
  if (!('path' in destination)) {
    const repository = await options.open(destination.reference, 'push');
    const copied = await copyGraph(source.target, repository, source.root, graph);
    await repository.tag(copied, targetReference(parseReference(destination.reference)), { signal });
    return copied;
  }
  await using sink: TransportSink = await openSink(destination);
  const copied = await copyGraph(source.target, sink, source.root, graph);
  await sink.tag(copied, destination.reference, { signal });
  await sink.commit({ signal });
  return copied;
}

async function intoStore({ target, root }: OpenSource, name: string, options: CopyImageOptions): Promise<Descriptor> {
  const { store, signal, onEvent } = options;
  const { manifest } = await takeImage(target, root, {
    store,
    platform: options.platforms?.[0] ?? hostPlatform(),
    signal,
    onEvent,
  });
  await store.target.tag(manifest, formatReference(parseReference(name)), { signal });
  return manifest;
}
