import {
  type CallOptions,
  type CopyEvent,
  copyGraph,
  type Descriptor,
  formatName,
  formatReference,
  hostPlatform,
  isAttestation,
  isDigest,
  parseReference,
  type Platform,
  type Target,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { openSink, parseLocation } from '../../transports/index.ts';
import { BuildError } from '../error.ts';
import type { Annotation } from '../outputs/output.ts';
import { type Joined, joinImages, type JoinSource } from './join.ts';
import { mountOrigins } from '../images/mount-origins.ts';
import type { OpenRegistryRepository } from '../images/image-place.ts';
import { openPlace } from '../images/open-place.ts';
import { readImage } from '../images/resolve.ts';

/** What the new index holds and where it goes. */
export interface CreateIndexOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRegistryRepository;
  /** To the registry of the name; into the store unless given. */
  readonly push: boolean;
  /** Another place, as `copy` names them. */
  readonly destination?: string | undefined;
  /** What the name stands for now comes first. */
  readonly append: boolean;
  /** Makes the index, and sends nothing. */
  readonly dryRun: boolean;
  readonly platforms?: readonly Platform[] | undefined;
  readonly annotations: readonly Annotation[];
  readonly onWarning: (message: string) => void;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/** An image to join, and the platform it is said to be for. */
export interface IndexSource {
  /** A place as `copy` names them; a name that the store lacks is one in a registry; a digest alone is in the name's repository. */
  readonly text: string;
  readonly platform?: Platform | undefined;
}

/**
 * Joins images, of several platforms, into an index under a name: images from wherever, such as one runner for each platform. Their
 * content comes along; where a registry has it in another repository it is mounted.
 * @throws BuildError, and what the places throw
 */
export async function createIndex(
  name: string,
  sources: readonly IndexSource[],
  options: CreateIndexOptions,
): Promise<Joined> {
  await using opened = new AsyncDisposableStack();
  const open: JoinSource[] = [];
  const openStore = () => Promise.resolve(options.store);
  const places = { open: options.open, openStore, plain: 'store-or-docker', allowRemote: true } as const;
  for (const source of options.append ? [{ text: existing(name, options) }, ...sources] : sources) {
    const place = opened.use(await openPlace(placeOf(source.text, name), places));
    open.push({ kind: place.kind, target: place.target, root: await place.resolve(options), ...source });
  }
  const joined = await joinImages(open, options);
  if (!options.dryRun) await send(joined, name, options);
  return joined;
}

function existing(name: string, { push, destination }: CreateIndexOptions): string {
  if (destination !== undefined) return destination;
  return push ? `docker://${name}` : name;
}

function placeOf(text: string, name: string): string {
  return isDigest(text) ? `${formatName(parseReference(name))}@${text}` : text;
}

async function send(joined: Joined, name: string, options: CreateIndexOptions): Promise<void> {
  const { push, destination, store, open } = options;
  if (destination !== undefined) {
    const location = parseLocation(destination, 'store');
    if ('path' in location) return toFile(joined, location, options);
    if (location.kind === 'docker')
      return toTarget(joined, await open(location.reference, 'push'), location.reference, options);
    return intoStore(joined, location.reference, options);
  }
  return push
    ? toTarget(joined, await open(name, 'push'), name, options)
    : intoStore(joined, name, { ...options, store });
}

async function toFile(
  joined: Joined,
  location: Parameters<typeof openSink>[0],
  options: CreateIndexOptions,
): Promise<void> {
  if (location.kind === 'docker-archive') {
    throw new BuildError('OUTPUT_INVALID', 'a docker archive holds single images, no index', {
      hint: 'use oci-archive:PATH',
    });
  }
  await using sink = await openSink(location);
  await copyEntries(joined, sink, options);
  await sink.tag(joined.descriptor, location.reference, options);
  await sink.commit(options);
}

async function toTarget(joined: Joined, target: Target, name: string, options: CreateIndexOptions): Promise<void> {
  await copyEntries(joined, target, options);
  await target.tag(joined.descriptor, parseReference(name).tag ?? 'latest', options);
}

async function copyEntries(
  { entries, descriptor, content }: Joined,
  target: Target,
  { store, open, signal, onEvent }: CreateIndexOptions,
): Promise<void> {
  for (const { source, descriptor: entry } of entries) {
    const mountFrom = source.kind === 'store' ? mountOrigins(store, target, open) : [source.target];
    await copyGraph(source.target, target, bare(entry), { signal, onEvent, mountFrom });
  }
  await target.push(descriptor, content, { signal });
}

async function intoStore(joined: Joined, name: string, options: CreateIndexOptions): Promise<void> {
  const { store, signal, onEvent } = options;
  for (const { source, descriptor } of joined.entries) {
    if (source.kind === 'store') continue;
    if (source.kind === 'registry' && !isAttestation(descriptor)) await adopt(source.target, bare(descriptor), options);
    else await copyGraph(source.target, store.target, bare(descriptor), { signal, onEvent });
  }
  await store.target.push(joined.descriptor, joined.content, { signal });
  await store.target.tag(joined.descriptor, formatReference(parseReference(name)), { signal });
}

/** Layers that a registry has stay there until somebody needs them. */
async function adopt(target: Target, descriptor: Descriptor, { store, signal }: CreateIndexOptions): Promise<void> {
  const image = await readImage(target, descriptor, hostPlatform(), { signal });
  await store.content.push(image.manifest.config, image.configBytes, { signal });
  store.adoptRemote(image.config, image.manifest.layers, target.label);
  await store.target.push(descriptor, image.manifestBytes, { signal });
}

/** What an entry of an index says beside belongs to the index. */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
