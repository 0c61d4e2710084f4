import { stat } from 'node:fs/promises';
import {
  type CopyEvent,
  type CopyOptions,
  codeOf,
  type Descriptor,
  hostPlatform,
  isIndexType,
  parseReference,
  type Platform,
  restrictPlatforms,
  type Target,
} from '../../oci/index.ts';
import { parseLocation } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import { changesImages, convertImage } from './convert/convert.ts';
import type { ConvertedImage, ImageConversion } from './convert/contract.ts';
import { withForeignLayers } from './foreign-layers.ts';
import type { ImageDestination, ImagePlace, PlaceOptions } from './image-place.ts';
import { listTags, nameIn } from './list-tags.ts';
import { mountOrigins } from './mount-origins.ts';
import { openDestination } from './open-destination.ts';
import { openPlace } from './open-place.ts';

/** What of an image is copied, how, and what opens its places. */
export interface CopyImageOptions extends PlaceOptions {
  /** Only these of an index; all unless given. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Also what refers to the image: signatures, SBOMs. */
  readonly referrers: boolean;
  /** Another format or compression; byte for byte unless given. */
  readonly conversion?: ImageConversion | undefined;
  /** Fails where the digest would be another one than that of the source. */
  readonly preserveDigests?: boolean | undefined;
  /** Names that the destination has stay what they are. */
  readonly noClobber?: boolean | undefined;
  /** Further tags that the copy gets. */
  readonly tags?: readonly string[] | undefined;
  /** Also layers that may not be distributed, from where their manifest says if need be. */
  readonly foreignLayers?: boolean | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
  /** Hears what a conversion leaves out and does, in a sentence each. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** What a copy left at its destination. */
export interface CopiedImage {
  readonly descriptor: Descriptor;
  /** What it is called there now. */
  readonly names: readonly string[];
  /** Names that stand for what they stood for, with `noClobber`. */
  readonly kept: readonly string[];
}

/**
 * Copies an image between any two places, byte for byte unless a conversion is asked for. Into the store goes what this
 * machine can run, or the `platforms`, unpacked.
 * @throws TransportError, RegistryError, CopyError of either side; BuildError
 */
export async function copyImage(from: string, to: string, options: CopyImageOptions): Promise<CopiedImage> {
  checkOptions(options);
  const { signal } = options;
  await using source = await openPlace(from, { ...options, allowRemote: true });
  const root = await source.resolve({ signal, reads: true });
  if (options.noClobber === true) await keepFile(to);
  await using destination = await openDestination(to, options);
  const names = [destination.reference, ...(options.tags ?? []).map((tag) => destination.nameFor(tag))];
  const copied = await new Copying(source, destination, options).copy(root, names);
  await destination.commit({ signal });
  return copied;
}

/** One image of `copyAllTags`. */
export interface CopiedTag extends CopiedImage {
  readonly tag: string;
}

/**
 * Copies every tag of a repository, layout or archive to another one, each image once.
 * @throws BuildError OUTPUT_INVALID where either side names a single tag
 */
export async function copyAllTags(from: string, to: string, options: CopyImageOptions): Promise<readonly CopiedTag[]> {
  checkOptions(options);
  const { signal } = options;
  for (const text of [from, to]) refuseTag(text);
  if (options.noClobber === true) await keepFile(to);
  await using source = await openPlace(from, { ...options, allowRemote: true });
  const tags = (await listTags(source, { signal })).filter((tag) => !(options.referrers && isReferrersTag(tag)));
  if (tags.length === 0) throw new BuildError('IMAGE_NOT_FOUND', `${from} has no tags`);
  await using destination = await openDestination(to, options);
  const copying = new Copying(source, destination, options);
  const copied: CopiedTag[] = [];
  for (const tag of tags) {
    const root = await source.target.resolve(nameIn(source, tag), { signal, reads: true });
    copied.push({ tag, ...(await copying.copy(root, [destination.nameFor(tag)])) });
  }
  await destination.commit({ signal });
  return copied;
}

/** All tags are not those of one. A docker archive has a name all the same: its images have names of their own. */
function refuseTag(text: string): void {
  const location = parseLocation(text);
  const { tag, digest } =
    'path' in location
      ? { tag: location.kind === 'docker-archive' ? '' : location.reference, digest: undefined }
      : parseReference(location.reference, { keepUntagged: true });
  if ((tag ?? '') === '' && digest === undefined) return;
  throw new BuildError('OUTPUT_INVALID', `${text} names one image, all tags are to be copied`, {
    hint: 'name the repository alone',
  });
}

/** An archive is one file, written whole: what is in it would go. */
async function keepFile(text: string): Promise<void> {
  const location = parseLocation(text);
  if (!('path' in location) || location.kind === 'oci') return;
  if (!(await stat(location.path).catch(() => undefined))?.isFile()) return;
  throw new BuildError('OUTPUT_INVALID', `${location.path} is there already`, {
    hint: 'without --no-clobber it is replaced',
  });
}

/** The list of what refers to a digest is written anew where it is needed. */
export function isReferrersTag(tag: string): boolean {
  return /^(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{121})$/.test(tag);
}

function checkOptions({ conversion = {}, referrers, preserveDigests }: CopyImageOptions): void {
  if (!changesImages(conversion)) return;
  if (referrers) {
    throw new BuildError('OUTPUT_INVALID', 'what refers to an image refers to its digest, which a conversion changes', {
      hint: 'copy them without --format and --compression',
    });
  }
  if (preserveDigests === true) throw changedDigest('a conversion changes digests');
}

function changedDigest(message: string): BuildError {
  return new BuildError('OUTPUT_INVALID', message, { hint: 'without --preserve-digests it is copied all the same' });
}

/** What goes from one open place to another. */
class Copying {
  readonly #source: ImagePlace;
  readonly #destination: ImageDestination;
  readonly #options: CopyImageOptions;

  constructor(source: ImagePlace, destination: ImageDestination, options: CopyImageOptions) {
    this.#source = source;
    this.#destination = destination;
    this.#options = options;
  }

  async copy(root: Descriptor, names: readonly string[]): Promise<CopiedImage> {
    const kept = this.#options.noClobber === true ? await this.#taken(names) : [];
    const wanted = names.filter((name) => !kept.includes(name));
    if (wanted.length === 0) return { descriptor: root, names: [], kept };
    await using stack = new AsyncDisposableStack();
    const { target } = this.#source;
    const from = this.#options.foreignLayers === true ? withForeignLayers(target) : target;
    const chosen = await this.#choose(from, root);
    const converted = await this.#convert(from, chosen);
    if (converted !== undefined) stack.use(converted);
    const descriptor = await this.#destination.receive(converted?.target ?? from, converted?.root ?? chosen, {
      ...this.#graphOptions(converted),
      names: wanted,
    });
    return { descriptor, names: wanted, kept };
  }

  async #taken(names: readonly string[]): Promise<readonly string[]> {
    const { target } = this.#destination;
    const taken: string[] = [];
    for (const name of names) {
      try {
        await target.resolve(name, { signal: this.#options.signal });
        taken.push(name);
      } catch (error) {
        if (codeOf(error) !== 'NOT_FOUND') throw error;
      }
    }
    return taken;
  }

  /** A conversion for the store is one of the image that it takes. */
  async #choose(from: Target, root: Descriptor): Promise<Descriptor> {
    const { platforms = [], conversion = {}, preserveDigests, signal } = this.#options;
    const isForStore = this.#destination.kind === 'store' && isIndexType(root.mediaType);
    const wanted = platforms.length === 0 && isForStore && changesImages(conversion) ? [hostPlatform()] : platforms;
    const chosen = await restrictPlatforms(from, root, wanted, { signal });
    if (preserveDigests === true && isIndexType(chosen.mediaType) && chosen.digest !== root.digest)
      throw changedDigest('an index of some of its platforms has another digest');
    return chosen;
  }

  async #convert(from: Target, root: Descriptor): Promise<ConvertedImage | undefined> {
    const { conversion = {}, signal, onNote = () => {} } = this.#options;
    return changesImages(conversion) ? convertImage(from, root, conversion, { signal, onNote }) : undefined;
  }

  #graphOptions(converted: ConvertedImage | undefined): CopyOptions {
    const { signal, onEvent, referrers, foreignLayers, platforms, open } = this.#options;
    const source = this.#source;
    const origins =
      source.kind === 'store'
        ? mountOrigins(source.store, this.#destination.target, open)
        : () => Promise.resolve([source.target]);
    return {
      signal,
      onEvent,
      referrers,
      foreignLayers: foreignLayers === true ? 'copy' : 'omit',
      ...(this.#destination.kind === 'store' && platforms && { platforms }),
      ...(source.kind === 'store' && { memory: source.store.transfers }),
      mountFrom: async (blob) => (converted?.isMade(blob) === true ? [] : origins(blob)),
    };
  }
}
