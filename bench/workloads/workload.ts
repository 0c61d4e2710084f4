/** A folder with a Dockerfile whose `ARG BASE` is the base image. */
export interface Workload {
  readonly context: string;
  /** Changes one source file, each time to something that was never there. */
  readonly change: () => Promise<void>;
}
