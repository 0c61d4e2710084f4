import {
  type Descriptor,
  type Digest,
  formatReference,
  parseReference,
  targetReference,
  withDigest,
} from '../../oci/index.ts';
import type { OpenRepository } from './resolve.ts';
import { takeImage, type TakeOptions } from './take.ts';

/** Where a pull reads and what it takes. */
export interface PullOptions extends TakeOptions {
  readonly open: OpenRepository;
}

/** What a pull brought. */
export interface Pulled {
  readonly imageId: Digest;
  /** What the name stood for: an index or a manifest. */
  readonly root: Descriptor;
  /** Full name with tag or digest. */
  readonly name: string;
  /** False where the store had it already, under this name. */
  readonly changed: boolean;
}

/** Resolves, copies blobs and unpacks layers in one pass, names last (DESIGN "A pull"). */
export async function pullImage(name: string, options: PullOptions): Promise<Pulled> {
  const { store, signal } = options;
  const reference = parseReference(name);
  const fullName = formatReference(reference);
  const repository = await options.open(name);
  const before = store.images.find(fullName)?.id;
  // of a name that is known, the answer is most likely what is here already
  const root = await repository.resolve(targetReference(reference), { signal, reads: before === undefined });
  const { imageId, manifest } = await takeImage(repository, root, options);
  if (reference.digest === undefined) await store.target.tag(manifest, fullName, { signal });
  store.images.addRepoDigest(imageId, formatReference(withDigest(reference, root.digest)));
  return { imageId, root, name: fullName, changed: before !== imageId };
}
