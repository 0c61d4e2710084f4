import type { CallOptions, CopyOptions, Descriptor, ResolveOptions, Target } from '../../oci/index.ts';
import type { RepositoryTarget } from '../../registry/index.ts';
import type { Store } from '../../store/index.ts';
import type { PlainName, TransportSource } from '../../transports/index.ts';

/** Opens the repository of an image name, with all that only registries can (tags, deletion, single blobs). */
export type OpenRegistryRepository = (name: string, access?: 'pull' | 'push') => Promise<RepositoryTarget>;

/** What opens the places that a text can name. */
export interface PlaceOptions extends CallOptions {
  readonly open: OpenRegistryRepository;
  /** Called only when a place in the store is named. */
  readonly openStore: () => Promise<Store>;
  /** What a name means that says no place: in a registry, unless given; `store-or-docker` asks the store first. */
  readonly plain?: PlainName | 'store-or-docker' | undefined;
  /** Layers of an image of the store may stay in a registry. */
  readonly allowRemote?: boolean | undefined;
  /** Whether the store has a name that a registry has not: then the error says so. */
  readonly isInStore?: ((name: string) => Promise<boolean>) | undefined;
}

/** A place that is open for reading; `await using` closes it. */
export type ImagePlace = PlaceOf<'file', TransportSource> | PlaceOf<'registry', RepositoryTarget> | StorePlace;

interface PlaceOf<Kind extends string, In extends Target> extends AsyncDisposable {
  readonly kind: Kind;
  /** As the user wrote it. */
  readonly text: string;
  readonly target: In;
  /** What `target.resolve` takes: a tag, a digest, a name; empty: the only image. */
  readonly reference: string;
  /**
   * The manifest or index that is meant.
   * @throws OciError NOT_FOUND, and what the place throws
   */
  resolve(options?: ResolveOptions): Promise<Descriptor>;
}

interface StorePlace extends PlaceOf<'store', Target> {
  readonly store: Store;
}

/** A place that is open for writing. Nothing of an archive is seen before `commit`. */
export interface ImageDestination extends AsyncDisposable {
  readonly kind: ImagePlace['kind'];
  readonly text: string;
  readonly target: Target;
  /** The name that the text gives: a tag of a repository, a layout's name, a full name in the store; may be empty in files. */
  readonly reference: string;
  /** The name for another tag of the same repository or layout. */
  nameFor(tag: string): string;
  /**
   * Copies what `root` names, then gives it its names, so that none ever stands for what is not there. Into the store goes
   * the image of this machine's platform, or those of the given ones and their index, unpacked.
   */
  receive(from: Target, root: Descriptor, options: ReceiveOptions): Promise<Descriptor>;
  /** Makes all that was received visible; to be called once, last. */
  commit(options?: CallOptions): Promise<void>;
}

export interface ReceiveOptions extends CopyOptions {
  /** What it is called in the destination. */
  readonly names: readonly string[];
}
