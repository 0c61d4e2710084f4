import {
  type CallOptions,
  type Descriptor,
  isDigest,
  parseReference,
  type Target,
  targetReference,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { type FileLocation, openSource, parseLocation } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import type { OpenRepository } from './resolve.ts';

/** An open source: where it is and what is meant in it. */
export interface OpenSource extends AsyncDisposable {
  readonly kind: 'file' | 'registry' | 'store';
  readonly target: Target;
  readonly root: Descriptor;
}

export interface OpenSourceOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  /** What a plain name means that the store does not have: nothing, unless given. */
  readonly elsewhere?: 'registry' | undefined;
  /** Layers may stay in a registry. */
  readonly allowRemote?: boolean | undefined;
}

/**
 * Opens the place that a text names, and finds the image in it.
 * @throws TransportError, RegistryError, BuildError IMAGE_NOT_FOUND
 */
export async function openImageSource(text: string, options: OpenSourceOptions): Promise<OpenSource> {
  const { store, signal, allowRemote = false } = options;
  const location = parseLocation(text);
  if ('path' in location) return fromDisk(location, signal);
  if (location.kind === 'docker') return fromRegistry(location.reference, options);
  const root = await inStore(location.reference, { store, signal, allowRemote });
  if (root !== undefined) return { kind: 'store', target: store.target, root, ...nothing };
  if (options.elsewhere === 'registry') return fromRegistry(location.reference, options);
  const hint = `for an image in a registry write docker://${location.reference}`;
  throw new BuildError('IMAGE_NOT_FOUND', `No such image: ${location.reference}`, { hint });
}

const nothing = { [Symbol.asyncDispose]: async () => {} };

async function inStore(
  reference: string,
  { store, ...options }: CallOptions & { readonly store: Store; readonly allowRemote: boolean },
): Promise<Descriptor | undefined> {
  const digest = isDigest(reference)
    ? reference
    : reference.includes('@')
      ? parseReference(reference).digest
      : undefined;
  if (digest !== undefined && store.content.state(digest) !== undefined) {
    // An id is a config's digest, which no manifest has.
    if (store.images.find(digest) === undefined) return store.target.resolve(digest, options);
  }
  return store.images.find(reference) === undefined ? undefined : store.manifestOf(reference, options);
}

async function fromRegistry(name: string, { open, signal }: OpenSourceOptions): Promise<OpenSource> {
  const target = await open(name);
  const root = await target.resolve(targetReference(parseReference(name)), { signal });
  return { kind: 'registry', target, root, ...nothing };
}

async function fromDisk(location: FileLocation, signal: AbortSignal | undefined): Promise<OpenSource> {
  const target = await openSource(location);
  try {
    return {
      kind: 'file',
      target,
      root: await target.resolve(location.reference, { signal }),
      [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
    };
  } catch (error) {
    await target[Symbol.asyncDispose]();
    throw error;
  }
}
