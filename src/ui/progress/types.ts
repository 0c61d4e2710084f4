import type { BuildEvent } from '../../build/index.ts';

export type ProgressKind = 'auto' | 'tty' | 'plain' | 'quiet' | 'json';

/** Draws what a build tells. `end` must be called once, also after a failure: it writes what is still held back. */
export interface ProgressRenderer {
  event(event: BuildEvent): void;
  end(): void;
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
}
