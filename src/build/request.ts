import type { Readable } from 'node:stream';
import type { IsolationChoice, NetworkMode } from '../container/index.ts';
import type { Platform } from '../oci/index.ts';
import type { CacheRequest } from './cache/request.ts';
import type { ContextModes } from './copy/tree.ts';
import type { OnError } from './failed-step/contract.ts';
import type { MountsRequest } from './mounts/request.ts';
import type { Annotation, BuildOutput } from './outputs/output.ts';
import type { PolicyRequest } from './policy/open-policy.ts';
import type { ConfinementRequest } from './run/confinement.ts';

/** All that decides a build, in the words of `docker build`. */
export interface BuildRequest {
  /** A folder, an archive, a git repository, a URL, or `-` for standard input (an archive, or a Dockerfile alone). */
  readonly context: string;
  /** Path of the Dockerfile; `-` for standard input; `Dockerfile` in the context unless given. */
  readonly dockerfile?: string | undefined;
  /** What `-` stands for. */
  readonly stdin?: Readable | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** The stage that is wanted; the last unless given. */
  readonly target?: string | undefined;
  /** What the result is for; this machine unless given. */
  readonly platform?: Platform | undefined;
  /** Where there are several, each once: the result is an index. */
  readonly platforms?: readonly Platform[] | undefined;
  /** `--build-context`: name to folder, archive, git repository, URL, `oci-layout://…`, `docker-image://…`, `store-image://…`, `target:…`. */
  readonly contexts: Readonly<Record<string, string>>;
  /** How modes of context files are taken: as they are unless given. */
  readonly contextModes?: ContextModes | undefined;
  /** Does every step again. */
  readonly noCache: boolean;
  /** Stages whose steps are done again. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** Makes the same image of the same sources, bit for bit; as SOURCE_DATE_EPOCH does where it is given. */
  readonly reproducible?: boolean | undefined;
  /** Builds twice without the cache, and fails where the layers differ. */
  readonly verifyReproducible?: boolean | undefined;
  /** Which sources may be used, and what they are pinned to. */
  readonly policy?: PolicyRequest | undefined;
  /** At most so many steps at once. */
  readonly maxParallelism?: number | undefined;
  /** Asks the registry for a newer base even where one is here. */
  readonly pull: boolean;
  /** Names for the result, as written. */
  readonly tags: readonly string[];
  /** Beside the store. */
  readonly outputs: readonly BuildOutput[];
  /** To the registries of the tags. */
  readonly push: boolean;
  /** `--annotation`: on every output that has a manifest. */
  readonly annotations?: readonly Annotation[] | undefined;
  /** All layers of the build as one, over those of its base. */
  readonly squash?: boolean | undefined;
  /** What RUN is run in. */
  readonly isolation: IsolationChoice;
  /** Of each RUN that does not say so itself. */
  readonly network: NetworkMode;
  /** Secrets, agents and the folders of cache mounts. */
  readonly mounts?: MountsRequest | undefined;
  /** What RUN may use and do: limits, names, entitlements. */
  readonly confinement?: ConfinementRequest | undefined;
  /** `fail` unless given. */
  readonly onError?: OnError | undefined;
  /** How many builds the store remembers, this one included: 50 unless given, none with 0. */
  readonly history?: number | undefined;
  /** `--cache-from`, `--cache-to`. */
  readonly cache?: CacheRequest | undefined;
}
