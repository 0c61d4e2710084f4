import type { Privileges, RootMount } from '../system/index.ts';

/** How strongly a step is separated from the machine. */
export type Isolation = 'runc' | 'sandbox';
export type IsolationChoice = Isolation | 'auto';
export type NetworkMode = 'host' | 'none';

/** A process in a root file system: one RUN step. */
export interface ContainerSpec {
  /** Also the name in the runtime; `[a-z0-9-]+`. */
  readonly id: string;
  /** Folder for the bundle, made by the caller and removed by it. */
  readonly bundle: string;
  readonly root: RootMount;
  readonly args: readonly string[];
  /** `NAME=value`; complete but for PATH and HOME, which are added by docker's rules where missing. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]` as in USER; names are looked up in the root's own passwd and group. */
  readonly user: string;
  readonly network: NetworkMode;
  readonly hostname: string;
  /** Further mounts inside, in order. */
  readonly mounts: readonly ContainerMount[];
}

export type ContainerMount =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly size?: number; readonly mode?: number };

export interface ExitStatus {
  readonly code: number;
  /** Name such as `SIGKILL`, where a signal ended it; `code` is then 128 + its number. */
  readonly signal?: string;
}

export interface RunOptions {
  readonly privileges: Privileges;
  readonly isolation: Isolation;
  readonly signal?: AbortSignal | undefined;
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void;
}

/** What `chooseIsolation` found: stated once per build. */
export interface IsolationReport {
  readonly isolation: Isolation;
  /** `runc 1.1.5`, `sandbox (util-linux 2.38.1)`. */
  readonly description: string;
  /** What this machine lacks, for people: `runc is older than 1.2.8: …`. */
  readonly missing: readonly string[];
}
