import type { Confinement, ContainerMount, ContainerNetwork, ContainerSpec, Isolation } from '../../container/index.ts';
import type { Credentials } from '../mounts/credentials.ts';
import type { ActiveSnapshot } from '../../store/index.ts';
import type { DraftLayer, LayerTask } from '../../layer/index.ts';
import type { Privileges, RootMount } from '../../system/index.ts';
import type { ListingDifference } from '../copy/listing.ts';
import type { ContextModes } from '../copy/tree.ts';

/** A tree as the workshop is told of it. */
export interface TreeRef {
  readonly root: RootMount;
  /** Patterns of .dockerignore. */
  readonly ignore?: readonly string[] | undefined;
  readonly resetOwner: boolean;
  /** How modes of a context are taken: as they are, unless given. */
  readonly modes?: ContextModes | undefined;
  readonly label: string;
}

export type SourceRef =
  | { readonly kind: 'tree'; readonly tree: TreeRef; readonly pattern: string }
  /** A file that the build itself made: an inline document or a download. */
  | { readonly kind: 'file'; readonly folder: string; readonly name: string };

/** What COPY, ADD and bind mounts select. */
export interface Selection {
  readonly sources: readonly SourceRef[];
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** It is mounted: a step sees the mode and owner of the folder itself too. */
  readonly shown?: boolean | undefined;
}

/** A snapshot to change. */
export interface Workplace {
  readonly active: ActiveSnapshot;
  /** An empty folder for mount points and bundles, this job's alone. */
  readonly scratch: string;
  /** SOURCE_DATE_EPOCH of a reproducible build: copies of context files are not older. */
  readonly notBefore?: number | undefined;
}

export interface DigestJob {
  readonly kind: 'digest';
  readonly selection: Selection;
  readonly scratch: string;
  /** Jobs of the same build go by what the first of them saw of a context. Each reads for itself unless given. */
  readonly build?: string | undefined;
  /** Folder of digests that are known by stats; unless given, everything is read. */
  readonly statCache?: string | undefined;
  /** A file to write that says what was selected, for explanations. */
  readonly listing?: string | undefined;
}

export interface CopyJob {
  readonly kind: 'copy';
  readonly place: Workplace;
  readonly selection: Selection;
  readonly destination: string;
  readonly owner?: string | undefined;
  readonly mode?: string | undefined;
  readonly link: boolean;
  readonly unpack: 'never' | 'auto' | 'always';
  /** Folder of digests that are known by stats; unless given, everything is read. */
  readonly statCache?: string | undefined;
  /** The layer to make of it, in the same thread. */
  readonly layer?: LayerTask | undefined;
}

export interface WorkdirJob {
  readonly kind: 'workdir';
  readonly place: Workplace;
  readonly path: string;
  readonly user: string;
}

export interface RunJob {
  readonly kind: 'run';
  readonly place: Workplace;
  readonly containerId: string;
  readonly isolation: Isolation;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly network: ContainerNetwork;
  readonly confinement: Confinement;
  readonly interaction?: ContainerSpec['interaction'];
  readonly mounts: readonly ContainerMount[];
  readonly credentials: Credentials;
  /** Bind mounts from trees: mounted beside the root first. */
  readonly treeMounts: readonly TreeMount[];
  /** The layer to make of what a step left that succeeded: in the same thread, which is there and warm. */
  readonly layer?: LayerTask | undefined;
}

/** Fills a new cache mount. */
export interface FillJob {
  readonly kind: 'fill';
  readonly tree: TreeRef;
  readonly source: string;
  readonly folder: string;
  /** Of the folder; where not given, that of the source. */
  readonly owner: {
    readonly uid?: number | undefined;
    readonly gid?: number | undefined;
    readonly mode?: number | undefined;
  };
  readonly scratch: string;
}

export interface TreeMount {
  readonly tree: TreeRef;
  readonly source: string;
  readonly target: string;
  readonly readWrite: boolean;
}

export interface ExportJob {
  readonly kind: 'export';
  /** Each goes to a folder of its own, or (empty) to the destination itself. */
  readonly trees: readonly { readonly root: RootMount; readonly folder: string }[];
  readonly scratch: string;
  /** `tar`: a file to write; `folder`: an existing empty folder to fill. */
  readonly form: 'tar' | 'folder';
  readonly destination: string;
  /** Seconds since 1970; a tar tells no later time. */
  readonly clampTo?: number | undefined;
  /** Where the filled folder's content then goes. */
  readonly into?: ExportTarget | undefined;
}

/** An existing folder, on the same file system. */
export interface ExportTarget {
  readonly folder: string;
  /** `delete`: what else is there goes. */
  readonly mode: 'copy' | 'delete';
}

/** What differs between two listings. */
export interface CompareJob {
  readonly kind: 'compare';
  /** Files that digest jobs wrote. */
  readonly before: string;
  readonly after: string;
}

export type Job = DigestJob | CompareJob | CopyJob | WorkdirJob | RunJob | FillJob | ExportJob;

export interface CopyResult {
  /** Content digest of what was copied, as a digest job gives it; absent where sources cannot change meanwhile. */
  readonly digest?: string | undefined;
  /** Whether it depends on what sources are called, beside their content. */
  readonly named: boolean;
  readonly draft?: DraftLayer | undefined;
}

export interface RunResult {
  readonly exitCode: number;
  readonly signal?: string | undefined;
  /** Content digests of what bind mounts showed of contexts, by target. */
  readonly shown: Readonly<Record<string, string>>;
  readonly outOfMemory?: boolean | undefined;
  readonly draft?: DraftLayer | undefined;
}

/** What a job of each kind gives. */
export interface JobResults {
  readonly digest: string;
  /** undefined where one of them is not to be had. */
  readonly compare: ListingDifference | undefined;
  readonly copy: CopyResult;
  readonly workdir: null;
  readonly run: RunResult;
  readonly fill: null;
  readonly export: null;
}

export interface WorkshopSetup {
  readonly privileges: Privileges;
  /** One shared number: bytes of output that were sent and not taken yet. */
  readonly unread: Int32Array<SharedArrayBuffer>;
  /** One shared number: not 0 when the job is to end, for work that hears no messages. */
  readonly stop: Int32Array<SharedArrayBuffer>;
}

export type ToWorkshop =
  /** Comes first, once. */
  | { readonly type: 'setup'; readonly setup: WorkshopSetup }
  | { readonly type: 'job'; readonly id: number; readonly job: Job }
  | { readonly type: 'cancel'; readonly id: number };

export type FromWorkshop =
  | { readonly type: 'output'; readonly id: number; readonly stream: 'stdout' | 'stderr'; readonly chunk: Uint8Array }
  /** The container of a RUN job has ended: what it was lent is free. */
  | { readonly type: 'left'; readonly id: number }
  | { readonly type: 'result'; readonly id: number; readonly result: JobResults[Job['kind']] }
  | { readonly type: 'error'; readonly id: number; readonly error: CarriedError };

/** A SlipwayError's fields, which structured clone would drop. */
export interface CarriedError {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly hint?: string | undefined;
  readonly details: readonly string[];
  readonly exitCode: number;
  readonly stack?: string | undefined;
}
