import type { Privileges, RootMount } from '../system/index.ts';
import type { Confinement } from './confinement.ts';

/** How strongly a step is separated from the machine. */
export type Isolation = 'runc' | 'sandbox';
/** `auto`: runc where it works, else the sandbox. */
export type IsolationChoice = Isolation | 'auto';

/** What a step's network is: the machine's, one with loopback alone, or a prepared one. */
export type ContainerNetwork = 'host' | 'none' | PrivateNetwork;

/** A network namespace that was set up before: see `NetworkPool`. */
export interface PrivateNetwork {
  /** A path that opens it. */
  readonly namespace: string;
  readonly nameservers: readonly string[];
  /** The machine's address as it is seen from within. */
  readonly hostGateway: string;
}

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
  /** More of the environment, which must not be written to a disk on the way. */
  readonly secretEnv?: readonly string[] | undefined;
  readonly cwd: string;
  /** `user[:group]` as in USER; names are looked up in the root's own passwd and group. */
  readonly user: string;
  readonly network: ContainerNetwork;
  readonly hostname: string;
  /** Further mounts inside; one whose target lies in another's is mounted in that. */
  readonly mounts: readonly ContainerMount[];
  readonly confinement?: Confinement | undefined;
  /**
   * Standard input, output and error are this process's own instead of being handed on: a terminal, or what programs are. Absent:
   * no input, and output goes to `onOutput`.
   */
  readonly interaction?: 'terminal' | 'plain' | undefined;
}

export type ContainerMount =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly size?: number; readonly mode?: number };

export interface ExitStatus {
  readonly code: number;
  /** Name such as `SIGKILL`, where a signal ended it; `code` is then 128 + its number. */
  readonly signal?: string;
  /** The kernel ended something in it because it went beyond its memory limit. */
  readonly outOfMemory?: boolean;
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
