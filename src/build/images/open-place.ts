import {
  type CallOptions,
  type Descriptor,
  familiarName,
  isDigest,
  OciError,
  parseReference,
  type ResolveOptions,
  targetReference,
} from '../../oci/index.ts';
import { isSlipwayError } from '../../errors.ts';
import type { Store } from '../../store/index.ts';
import { type FileLocation, type Location, openSource, parseLocation } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace, PlaceOptions } from './image-place.ts';

/**
 * Opens the place that a text names, for reading. A registry is asked nothing before the first call.
 * @throws TransportError INVALID_LOCATION, OciError INVALID_REFERENCE, and what opening the place throws
 */
export async function openPlace(text: string, options: PlaceOptions): Promise<ImagePlace> {
  const asked = await locate(text, options);
  const place = await openLocation(text, asked, options);
  return asked.kind === 'docker' && text === asked.reference ? withStoreHint(place, options) : place;
}

/**
 * Opens a place that something is taken out of, or replaced in. What is there is then for the registry itself to say: a mirror that is behind, or
 * lies, must not decide what goes.
 */
export function openForRemoval(text: string, options: PlaceOptions): Promise<ImagePlace> {
  return openPlace(text, { ...options, open: (name) => options.open(name, 'push') });
}

/** Where the text leads; a name without a place may be in the store first. */
async function locate(text: string, { plain, openStore }: PlaceOptions): Promise<Location> {
  if (plain !== 'store-or-docker') return parseLocation(text, plain);
  const location = parseLocation(text, 'store');
  if (location.kind !== 'store' || location.reference !== text) return location;
  return { ...location, kind: isKnown(await openStore(), text) ? 'store' : 'docker' };
}

function openLocation(text: string, location: Location, options: PlaceOptions): Promise<ImagePlace> {
  if ('path' in location) return openFile(text, location);
  return location.kind === 'docker'
    ? openInRegistry(text, location.reference, options)
    : openInStore(text, location.reference, options);
}

async function openFile(text: string, location: FileLocation): Promise<ImagePlace> {
  const target = await openSource(location);
  const { reference } = location;
  return {
    kind: 'file',
    text,
    target,
    reference,
    resolve: (options) => target.resolve(reference, options),
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

async function openInRegistry(text: string, name: string, { open }: PlaceOptions): Promise<ImagePlace> {
  const reference = targetReference(parseReference(name));
  const target = await open(name);
  return {
    kind: 'registry',
    text,
    target,
    reference,
    resolve: (options) => target.resolve(reference, options),
    ...nothing,
  };
}

async function openInStore(
  text: string,
  name: string,
  { openStore, allowRemote = false }: PlaceOptions,
): Promise<ImagePlace> {
  const store = await openStore();
  const resolve = async (options: CallOptions = {}): Promise<Descriptor> => {
    const root = await inStore(name, store, { ...options, allowRemote });
    if (root !== undefined) return root;
    throw new BuildError('IMAGE_NOT_FOUND', `No such image: ${name}`, {
      hint: `for an image in a registry write docker://${name}`,
    });
  };
  return { kind: 'store', text, target: store.target, reference: name, store, resolve, ...nothing };
}

const nothing = { [Symbol.asyncDispose]: async () => {} };

function isKnown(store: Store, name: string): boolean {
  const digest = digestIn(name);
  return (digest !== undefined && store.content.state(digest) !== undefined) || store.images.find(name) !== undefined;
}

async function inStore(
  name: string,
  store: Store,
  options: CallOptions & { readonly allowRemote: boolean },
): Promise<Descriptor | undefined> {
  const digest = digestIn(name);
  if (digest !== undefined && store.content.state(digest) !== undefined) {
    // An id is a config's digest, which no manifest has.
    if (store.images.find(digest) === undefined) return store.target.resolve(digest, options);
  }
  return store.images.find(name) === undefined ? undefined : store.manifestOf(name, options);
}

function digestIn(name: string) {
  if (isDigest(name)) return name;
  return name.includes('@') ? parseReference(name).digest : undefined;
}

/** A name without a place is looked for in a registry; whoever means the store is told the word for it. */
function withStoreHint(place: ImagePlace, { isInStore }: PlaceOptions): ImagePlace {
  if (isInStore === undefined) return place;
  const resolve = async (options?: ResolveOptions): Promise<Descriptor> => {
    try {
      return await place.resolve(options);
    } catch (error) {
      if (!isSlipwayError(error) || !(await isInStore(place.text))) throw error;
      throw new OciError('NOT_FOUND', error.message, {
        hint: `${familiarName(parseReference(place.text))} is in the store: write store:${place.text}`,
        cause: error,
      });
    }
  };
  return { ...place, resolve };
}
