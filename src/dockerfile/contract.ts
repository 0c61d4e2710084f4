import type { ImageConfig, Platform } from '../oci/index.ts';

/** Everything from outside the Dockerfile that decides its meaning. */
export interface BuildInputs {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
  /** What the result is for. */
  readonly platform: Platform;
  /** Where the build runs. */
  readonly buildPlatform: Platform;
  readonly labels: Readonly<Record<string, string>>;
  /** Named contexts (`--build-context`), by lower-case name; which kind decides whether FROM may use one. */
  readonly contexts: Readonly<Record<string, 'image' | 'tree'>>;
  /** Patterns of the main context's ignore file (`parseIgnore`), for the checks; none unless given. */
  readonly ignore?: readonly string[];
  /** Whether ADD/COPY from the main context is possible (false for a Dockerfile on standard input alone). */
  readonly hasContext: boolean;
}

/** An image whose config the graph needs. */
export interface ImageNeed {
  /** As in the Dockerfile after expansion. */
  readonly name: string;
  readonly platform: Platform;
}

/** Configs that were resolved, by `needKey`. */
export type ResolvedConfigs = ReadonlyMap<string, ImageConfig>;

/** The key of a need in ResolvedConfigs: `debian:12 linux/amd64`. */
export function needKey(need: ImageNeed): string {
  const { os, architecture, variant } = need.platform;
  return `${need.name} ${os}/${architecture}${variant === undefined ? '' : `/${variant}`}`;
}
