import {
  copyGraph,
  type CopyEvent,
  type Descriptor,
  familiarRepository,
  formatName,
  formatReference,
  hostPlatform,
  isIndexType,
  parseReference,
  type Platform,
} from '../../oci/index.ts';
import { parseLocation } from '../../transports/index.ts';
import type { Store } from '../../store/index.ts';
import { BuildError } from '../error.ts';
import type { ImagePlace, PlaceOptions } from '../images/image-place.ts';
import { openDestination } from '../images/open-destination.ts';
import { openForRemoval, openPlace } from '../images/open-place.ts';
import { takeImage } from '../images/take.ts';
import type { RootEdit } from './edit.ts';
import { editRoot } from './edit-root.ts';
import { Workbench } from './workbench.ts';

/** Where an edited image goes. Nothing of it given: to where it came from, without a name. */
export interface EditDestination {
  /** A place with a name, such as `NAME:TAG` or `oci:PATH:TAG`. */
  readonly tag?: string | undefined;
  /** A file that docker can load. */
  readonly output?: string | undefined;
  /** A repository, which gets it without a tag. */
  readonly repository?: string | undefined;
  /** The name that it had stands for it from now on. */
  readonly replace?: boolean | undefined;
}

export interface EditImageOptions extends PlaceOptions, EditDestination {
  /** Of an index, only these images; all unless given. */
  readonly platforms?: readonly Platform[] | undefined;
  readonly onWarning: (message: string) => void;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/** What became of an image. */
export interface EditedImage {
  /** Where it is now: `NAME@DIGEST`, or the file. */
  readonly name: string;
  /** What it was; undefined for one made from nothing. */
  readonly before: Descriptor | undefined;
  readonly descriptor: Descriptor;
}

/**
 * Edits an image of any place and writes it to any. Only new content moves between repositories of one registry.
 * @param edit what is done; given the bench, for content that it brings
 * @throws BuildError, and what the places throw
 */
export async function editImage(
  text: string,
  edit: RootEdit | ((bench: Workbench) => RootEdit | Promise<RootEdit>),
  options: EditImageOptions,
): Promise<EditedImage> {
  const { signal } = options;
  // what is replaced is what the registry has, not what a mirror that is behind had
  const open = options.replace === true ? openForRemoval : openPlace;
  await using place = await open(text, { ...options, allowRemote: true });
  const store = place.kind === 'store' ? place.store : undefined;
  await using bench = new Workbench({ target: place.target, store });
  const destination = destinationFor(options, place);
  const before = await place.resolve({ signal });
  const edits = typeof edit === 'function' ? await edit(bench) : edit;
  const after = await editRoot(bench, before, edits, options);
  return { name: await deliver(bench, after, destination, options), before, descriptor: after };
}

/** A text for openDestination, and whether the name in it is given. */
export interface Destination {
  readonly text: string;
  readonly named: boolean;
}

/**
 * Where the flags send it.
 * @throws BuildError OUTPUT_INVALID for flags that exclude each other, and where nothing can be put back
 */
export function destinationFor(
  { tag, output, repository, replace = false }: EditDestination,
  place?: Pick<ImagePlace, 'text' | 'kind'>,
): Destination {
  if (output !== undefined) return { text: fileText(output, tag ?? (place && nameIn(place))), named: true };
  const given = [tag !== undefined, repository !== undefined, replace].filter(Boolean).length;
  if (given > 1) throw invalid('a name, a repository, and replacing what was there exclude each other');
  if (tag !== undefined) return { text: tag, named: true };
  if (repository !== undefined) return { text: `docker://${repository}`, named: false };
  if (place === undefined) throw invalid('nothing says where the image goes', 'give it a name with -t');
  return replace ? replaced(place) : besides(place);
}

function replaced({ text }: Pick<ImagePlace, 'text'>): Destination {
  if (/@[^/@]*:[^/@]*$/.test(text)) throw invalid(`${text} is no tag that could be given to another image`);
  return { text, named: true };
}

function besides({ text, kind }: Pick<ImagePlace, 'text' | 'kind'>): Destination {
  const location = parseLocation(text, kind === 'store' ? 'store' : 'docker');
  if ('path' in location) {
    if (location.kind === 'oci') return { text: `oci:${location.path}`, named: false };
    throw invalid(`nothing is added to ${text}`, 'name another place with -t, such as oci-archive:FILE');
  }
  return location.kind === 'store'
    ? { text: 'store:edited', named: false }
    : { text: `docker://${formatName(parseReference(location.reference))}`, named: false };
}

/** The name that an image has where it is, for a file of it; none for one that is known by its digest. */
function nameIn({ text }: Pick<ImagePlace, 'text'>): string | undefined {
  const { reference } = parseLocation(text);
  return reference.includes('@') ? undefined : reference;
}

function fileText(output: string, name: string | undefined): string {
  if (/^(?:oci|oci-archive|docker-archive):/.test(output)) return output;
  if (output.includes(':')) throw invalid(`${output}: the name of an archive has no colon`);
  const full =
    name === undefined || name === '' || /^[a-z-]+:\//.test(name) ? '' : formatReference(parseReference(name));
  return `docker-archive:${output}${full === '' ? '' : `:${full}`}`;
}

/**
 * Copies what was made to where it goes.
 * @returns what it is called there
 */
export async function deliver(
  bench: Workbench,
  root: Descriptor,
  { text, named }: Destination,
  options: EditImageOptions,
): Promise<string> {
  const { signal, onEvent } = options;
  await using destination = await openDestination(text, options);
  if (destination.kind === 'store') {
    const names = named ? [destination.reference] : [];
    await intoStore(bench, root, { store: await options.openStore(), names, ...options });
    return named ? destination.reference : root.digest;
  }
  const unnamed = destination.kind === 'file' ? [''] : [];
  const mountFrom = bench.mountFrom(destination.target, options.open);
  const names = named ? [destination.reference] : unnamed;
  await destination.receive(bench, root, { signal, onEvent, mountFrom, names });
  await destination.commit({ signal });
  if (destination.kind === 'file') return named ? text : `${text}@${root.digest}`;
  return `${familiarRepository(parseReference(parseLocation(text).reference))}@${root.digest}`;
}

/** Of an image for one platform the layers are unpacked, as those of a pull are. */
async function intoStore(
  bench: Workbench,
  root: Descriptor,
  { store, names, signal, onEvent }: EditImageOptions & { readonly store: Store; readonly names: readonly string[] },
): Promise<void> {
  if (isIndexType(root.mediaType)) {
    await copyGraph(bench, store.target, root, { signal, onEvent, existing: 'look-inside' });
  } else {
    await takeImage(bench, root, { store, platform: hostPlatform(), signal, onEvent });
  }
  for (const name of names) await store.target.tag(root, name, { signal });
}

function invalid(why: string, hint?: string): BuildError {
  return new BuildError('OUTPUT_INVALID', why, { exitCode: 125, hint });
}
