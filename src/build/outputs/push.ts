import {
  type CallOptions,
  copyGraph,
  type Descriptor,
  formatName,
  formatReference,
  parseReference,
  type Reference,
  type Target,
  withDigest,
} from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { mountOrigins, rememberLayers } from '../images/mount-origins.ts';
import type { OpenRepository } from '../images/resolve.ts';
import type { Root } from './roots.ts';

export interface PushRootOptions extends CallOptions {
  readonly store: Store;
  readonly open: OpenRepository;
  /** Leaves the tags away. */
  readonly byDigest: boolean;
}

/**
 * Pushes to the repository of each name, and tags last. A repository gets the content once, whatever the number of its tags; the next
 * one of the same registry mounts what the first has.
 */
export async function pushRoot(root: Root, names: readonly string[], options: PushRootOptions): Promise<void> {
  const { store, open, byDigest, signal } = options;
  const repositories = new Map<string, { readonly target: Target; readonly references: Reference[] }>();
  for (const reference of names.map((name) => parseReference(name))) {
    const known = repositories.get(formatName(reference));
    if (known !== undefined) known.references.push(reference);
    else
      repositories.set(formatName(reference), {
        target: await open(formatReference(reference), 'push'),
        references: [reference],
      });
  }
  const done: Target[] = [];
  for (const { target, references } of repositories.values()) {
    const descriptor = bare(root.descriptor);
    const origins = mountOrigins(store, target, open);
    const mountFrom = async (blob: Descriptor) => [...done, ...(await origins(blob))];
    const names = byDigest ? [] : references.map(({ tag = 'latest' }) => tag);
    await copyGraph(store.target, target, descriptor, { signal, mountFrom, memory: store.transfers, names });
    const [first] = references;
    if (first !== undefined) recordDigest(root, first, store);
    await rememberLayers(descriptor, target.label, store);
    done.push(target);
  }
}

function recordDigest(root: Root, reference: Reference, store: Store): void {
  const repoDigest = formatReference(withDigest(reference, root.descriptor.digest));
  for (const { id } of root.images) store.images.addRepoDigest(id, repoDigest);
}

/** Annotations of a descriptor belong to a list that names it, which a registry has none of. */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
