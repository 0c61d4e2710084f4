import type { Command } from '../measure/index.ts';

/** A folder with a Dockerfile whose `ARG BASE` is the base image. */
export interface Workload {
  readonly context: string;
  /** Changes one source file, each time to something that was never there. */
  readonly change: () => Promise<void>;
  /** The one step that this makes necessary, as it is without any builder; where it can be said. */
  readonly changedStep?: () => Promise<Command>;
}
