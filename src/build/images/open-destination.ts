import {
  copyGraph,
  type CallOptions,
  type Descriptor,
  familiarName,
  formatReference,
  hostPlatform,
  parseReference,
  type Target,
  targetReference,
  withTag,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { type FileLocation, openSink, parseLocation } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import type { ImageDestination, PlaceOptions, ReceiveOptions } from './image-place.ts';
import { takeImages } from './take.ts';

/**
 * Opens the place that a text names, for writing. A name without a place is in a registry, or as `plain` says.
 * @throws TransportError INVALID_LOCATION, OciError INVALID_REFERENCE, BuildError, and what opening the place throws
 */
export async function openDestination(text: string, options: PlaceOptions): Promise<ImageDestination> {
  const location = parseLocation(text, options.plain === 'docker' || options.plain === undefined ? 'docker' : 'store');
  if ('path' in location) return fileDestination(text, location);
  const reference = parseReference(location.reference);
  if (reference.digest !== undefined) {
    const hint = 'the digest is that of the content; name a tag, or no digest';
    throw new BuildError('OUTPUT_INVALID', `${text}: content is not written to a digest`, { hint });
  }
  return location.kind === 'docker'
    ? registryDestination(text, location.reference, options)
    : storeDestination(text, formatReference(reference), await options.openStore());
}

async function fileDestination(text: string, location: FileLocation): Promise<ImageDestination> {
  const sink = await openSink(location);
  return {
    kind: 'file',
    text,
    target: sink,
    reference: location.reference,
    nameFor: (tag) => (location.kind === 'docker-archive' ? fullName(location.reference, tag) : tag),
    receive: (from, root, options) => receive(sink, from, root, options),
    commit: (options) => sink.commit(options),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}

/** docker's archives have whole names, without which nothing that is loaded has one. */
function fullName(reference: string, tag: string): string {
  return reference === '' ? tag : familiarName(withTag(parseReference(reference), tag));
}

async function registryDestination(text: string, name: string, { open }: PlaceOptions): Promise<ImageDestination> {
  const target = await open(name, 'push');
  return {
    kind: 'registry',
    text,
    target,
    reference: targetReference(parseReference(name)),
    nameFor: (tag) => tag,
    receive: (from, root, options) => receive(target, from, root, options),
    ...nothing,
  };
}

function storeDestination(text: string, name: string, store: Store): ImageDestination {
  return {
    kind: 'store',
    text,
    target: store.target,
    reference: name,
    nameFor: (tag) => formatReference(withTag(parseReference(name), tag)),
    receive: (from, root, options) => intoStore(store, from, root, options),
    ...nothing,
  };
}

const nothing = { commit: async () => {}, [Symbol.asyncDispose]: async () => {} };

async function receive(target: Target, from: Target, root: Descriptor, options: ReceiveOptions): Promise<Descriptor> {
  return copyGraph(from, target, root, options);
}

async function intoStore(
  store: Store,
  from: Target,
  root: Descriptor,
  { names, platforms, signal, onEvent, mapRoot }: ReceiveOptions,
): Promise<Descriptor> {
  const mapped = (await mapRoot?.(root, from, { signal })) ?? root;
  const taken = await takeImages(from, mapped, { store, platforms: platforms ?? [hostPlatform()], signal, onEvent });
  await name(store.target, taken, names, { signal });
  return taken;
}

async function name(
  target: Target,
  root: Descriptor,
  names: readonly string[],
  { signal }: CallOptions,
): Promise<void> {
  for (const each of names) await target.tag(root, each, { signal });
}
