import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/**
 * The configuration of an image: its platform, how to run it, its layers and its history (image-spec, config.md, with
 * docker's additions). `config.json` carries what we do not know of, so that a rewrite loses nothing.
 */
export interface ImageConfig {
  readonly platform: Platform;
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly config: RunConfig;
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryItem[];
  /** Further top-level members of the document, kept as they are. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** How a container of the image starts (`config` of the document); member names are the specification's. */
export interface RunConfig {
  readonly User?: string;
  /** Keys such as `80/tcp`. */
  readonly ExposedPorts?: readonly string[];
  /** `NAME=value`, in order. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly ArgsEscaped?: boolean;
  readonly Volumes?: readonly string[];
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[];
  readonly Healthcheck?: Healthcheck;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** docker's HEALTHCHECK; times in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface HistoryItem {
  readonly created?: string;
  readonly createdBy?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True where the step made no layer. */
  readonly emptyLayer?: boolean;
}
