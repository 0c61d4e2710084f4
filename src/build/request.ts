import type { Readable } from 'node:stream';
import type { IsolationChoice, NetworkMode } from '../container/index.ts';
import type { Compression, Platform } from '../oci/index.ts';
import type { MountsRequest } from './mounts/request.ts';

/** All that decides a build, in the words of `docker build`. */
export interface BuildRequest {
  /** A folder, or `-` for standard input (a tar archive, or a Dockerfile alone). */
  readonly context: string;
  /** Path of the Dockerfile; `-` for standard input; `Dockerfile` in the context unless given. */
  readonly dockerfile?: string | undefined;
  readonly stdin?: Readable | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string | undefined;
  readonly platform?: Platform | undefined;
  /** `--build-context`: name to folder, `oci-layout://…`, `docker-image://…`. */
  readonly contexts: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  /** Stages whose steps are done again. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** At most so many steps at once. */
  readonly maxParallelism?: number | undefined;
  /** Asks the registry for a newer base even where one is here. */
  readonly pull: boolean;
  /** Names for the result, as written. */
  readonly tags: readonly string[];
  readonly outputs: readonly BuildOutput[];
  readonly push: boolean;
  readonly isolation: IsolationChoice;
  readonly network: NetworkMode;
  readonly mounts?: MountsRequest | undefined;
}

/** `-o`: where the result goes beside the store. A destination `-` is standard output, for what is one file. */
export type BuildOutput =
  | {
      readonly type: 'oci' | 'docker';
      readonly destination: string;
      readonly form: OutputForm;
      readonly asFolder: boolean;
    }
  | { readonly type: 'tar' | 'local'; readonly destination: string }
  | { readonly type: 'registry'; readonly name: string | undefined; readonly form: OutputForm }
  | { readonly type: 'image'; readonly name: string | undefined; readonly push: boolean; readonly form: OutputForm };

export interface OutputForm {
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  readonly mediaTypes?: 'oci' | 'docker' | undefined;
}
