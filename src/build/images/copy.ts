import type { CopyEvent, CopyOptions, Descriptor, Platform } from '../../oci/index.ts';
import type { PlaceOptions } from './image-place.ts';
import { mountOrigins } from './mount-origins.ts';
import { openDestination } from './open-destination.ts';
import { openPlace } from './open-place.ts';

/** What of an image is copied, and what opens its places. */
export interface CopyImageOptions extends PlaceOptions {
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
  const { signal } = options;
  await using source = await openPlace(from, options);
  const root = await source.resolve({ signal, reads: true });
  await using destination = await openDestination(to, options);
  const mountFrom = source.kind === 'store' ? mountOrigins(source.store, destination.target, options.open) : undefined;
  const copied = await destination.receive(source.target, root, {
    ...graphOptions(options),
    ...(mountFrom && { mountFrom }),
    ...(source.kind === 'store' && { memory: source.store.transfers }),
    names: [destination.reference],
  });
  await destination.commit({ signal });
  return copied;
}

function graphOptions({ signal, onEvent, platforms, referrers }: CopyImageOptions): CopyOptions {
  return { signal, onEvent, referrers, ...(platforms && { platforms }) };
}
