import type { PolicyRequest } from './policy/open-policy.ts';
import type { Readable } from 'node:stream';
import type { IsolationChoice, NetworkMode } from '../container/index.ts';
import type { Platform } from '../oci/index.ts';
import type { ConfinementRequest } from './run/confinement.ts';
import type { ContextModes } from './copy/tree.ts';
import type { OnError } from './failed-step/contract.ts';
import type { CacheRequest } from './cache/request.ts';
import type { MountsRequest } from './mounts/request.ts';
import type { Annotation, BuildOutput } from './outputs/output.ts';

/** All that decides a build, in the words of `docker build`. */
export interface BuildRequest {
  /** A folder, an archive, a git repository, a URL, or `-` for standard input (an archive, or a Dockerfile alone). */
  readonly context: string;
  /** Path of the Dockerfile; `-` for standard input; `Dockerfile` in the context unless given. */
  readonly dockerfile?: string | undefined;
  readonly stdin?: Readable | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  readonly platform?: Platform | undefined;
  /** Where there are several, each once: the result is an index. */
  readonly platforms?: readonly Platform[] | undefined;
  /** `--build-context`: name to folder, archive, git repository, URL, `oci-layout://…`, `docker-image://…`, `store-image://…`, `target:…`. */
  readonly contexts: Readonly<Record<string, string>>;
  /** How modes of context files are taken: as they are unless given. */
  readonly contextModes?: ContextModes | undefined;
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
  readonly outputs: readonly BuildOutput[];
  readonly push: boolean;
  /** `--annotation`: on every output that has a manifest. */
  readonly annotations?: readonly Annotation[] | undefined;
  /** All layers of the build as one, over those of its base. */
  readonly squash?: boolean | undefined;
  readonly isolation: IsolationChoice;
  readonly network: NetworkMode;
  readonly mounts?: MountsRequest | undefined;
  readonly confinement?: ConfinementRequest | undefined;
  /** `fail` unless given. */
  readonly onError?: OnError | undefined;
  /** How many builds the store remembers, this one included: 50 unless given, none with 0. */
  readonly history?: number | undefined;
  /** `--cache-from`, `--cache-to`. */
  readonly cache?: CacheRequest | undefined;
}
