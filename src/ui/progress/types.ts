import type { BuildEvent, KnownSecrets } from '../../build/index.ts';

export type ProgressKind = 'auto' | 'tty' | 'plain' | 'quiet' | 'json' | 'rawjson' | 'github' | 'gitlab';

/** Draws what a build tells. `end` must be called once, also after a failure: it writes what is still held back. */
export interface ProgressRenderer {
  event(event: BuildEvent): void;
  /** @param error why the build ended, where it failed; it is shown by whoever caught it */
  end(error?: unknown): void;
  /** Steps aside: until `resume`, the terminal is another's (a shell in a failed step) and nothing is written. */
  suspend(): void;
  resume(): void;
  /** Told before anything runs, for each build: what must not be in files that are written of it. */
  hide?(values: KnownSecrets): void;
  /** What is left to do after `end`: files to write. */
  close?(): Promise<void>;
}

/** Where progress goes; a terminal also has a size. */
export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface ProgressOptions {
  /** Milliseconds since 1970; the clock unless given. */
  readonly now?: (() => number) | undefined;
  /** Tells why steps are not cached; `json` always does. */
  readonly explain?: boolean | undefined;
  /** The summary at the end: where it says something, unless given. */
  readonly summary?: boolean | undefined;
  /** Path of the Dockerfile, for annotations; undefined where it is no file. */
  readonly dockerfile?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
}
