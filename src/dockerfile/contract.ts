import type { ImageConfig, Platform } from '../oci/index.ts';
import type { SourceRange } from './graph.ts';
import type { Part } from './part.ts';

/** Everything from outside the Dockerfile that decides its meaning. */
export interface BuildInputs {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
  /** What the result is for. */
  readonly platform: Platform;
  /** Where the build runs. */
  readonly buildPlatform: Platform;
  readonly labels: Readonly<Record<string, string>>;
  /** Named contexts (`--build-context`), by lower-case name. */
  readonly contexts: Readonly<Record<string, ContextKind>>;
  /** Patterns of the main context's ignore file (`parseIgnore`), for the checks; none unless given. */
  readonly ignore?: readonly string[];
  /** Whether ADD/COPY from the main context is possible (false for a Dockerfile on standard input alone). */
  readonly hasContext: boolean;
  /** Whether titles name the platform, as they do where several are built: `[linux/amd64->arm64 build 2/5] RUN make`. */
  readonly showPlatform?: boolean;
}

/** What a named context is: an image with a config, files alone, or an earlier stage of the same file under another name. */
export type ContextKind = 'image' | 'tree' | { readonly stage: string };

/** An image whose config the graph needs. */
export interface ImageNeed {
  /** As in the Dockerfile after expansion. */
  readonly name: string;
  readonly platform: Platform;
}

/** A need with the words of the Dockerfile that have it first. */
export interface PlacedNeed extends ImageNeed {
  /** Of the instruction; for a trigger of a base, of its FROM. */
  readonly range: SourceRange;
  readonly part?: Part;
}

/** Configs that were resolved, by `needKey`. */
export type ResolvedConfigs = ReadonlyMap<string, ImageConfig>;

/** The key of a need in ResolvedConfigs: `debian:12 linux/amd64`. */
export function needKey(need: ImageNeed): string {
  const { os, architecture, variant } = need.platform;
  return `${need.name} ${os}/${architecture}${variant === undefined ? '' : `/${variant}`}`;
}
