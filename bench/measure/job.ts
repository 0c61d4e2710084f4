import type { Inputs } from '../inputs/index.ts';
import type { Peers } from '../peers/index.ts';
import type { Place, PlaceKind } from '../places/place.ts';

export type Command = readonly [program: string, ...args: string[]];

/** One thing to compare programs at. */
export interface Job {
  /** Names it on the command line, in results and in pages: `unpack-debian`. */
  readonly name: string;
  readonly title: string;
  /** Runs only when it is named: it takes minutes, or much space. */
  readonly onlyByName?: boolean;
  /** Where it makes sense; everywhere unless given. A job that writes nothing that matters names one. */
  readonly places?: readonly PlaceKind[];
  /** Prepares everything that is not measured. */
  make(bench: Bench): Promise<Comparison>;
}

/** What a job is made from. */
export interface Bench {
  /** An empty folder on the file system that is measured, all to this job. */
  readonly place: Place;
  readonly inputs: Inputs;
  readonly peers: Peers;
}

/** The programs of one job, and what is expected of ours. */
export interface Comparison {
  readonly contenders: readonly Contender[];
  /** Which contender the others are compared with; the first of role `ours` unless given. */
  readonly subject?: string;
  readonly bars?: readonly Bar[];
  /** Rounds that count; 5 unless given. */
  readonly rounds?: number;
  /** Rounds before those; 1 unless given. */
  readonly warmups?: number;
}

/** A limit is what the machine itself takes for the same bytes: `cp`, `tar x`, `sha256sum`. */
export type Role = 'ours' | 'peer' | 'limit';

/** One thing to measure: a program run from start to end. */
export interface Contender {
  readonly name: string;
  readonly role: Role;
  readonly command: Command;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Runs before each round, untimed: what brings the state back. */
  readonly prepare?: () => Promise<void>;
  /** The file or folder that it makes, where its size is of interest. */
  readonly output?: string;
  /** Process ids of daemons that do its work: what they and those below them use counts too. */
  readonly servers?: () => readonly number[];
  /**
   * For programs that do one thing many times: how often, and the same program doing it not at all or once (`fixed` times), which
   * is run in the same round and taken off.
   */
  readonly each?: { readonly times: number; readonly fixed: { readonly times: number; readonly command: Command } };
}

/** What one run took. Times in milliseconds, memory in bytes; NaN where it could not be measured. */
export interface Sample {
  readonly wall: number;
  /** User and system time of the process and its children, and what its servers used meanwhile. */
  readonly cpu: number;
  /** Peak of resident memory of the largest process. */
  readonly memory: number;
  /** Highest sum of resident memory over the process and its descendants, looked at all 50 ms. */
  readonly treeMemory: number;
}

export type Figure = keyof Sample;

/** What a contender took in all rounds that count, in their order. */
export interface Measurement {
  readonly name: string;
  readonly role: Role;
  readonly samples: readonly Sample[];
  /** Bytes of what it made in the last round. */
  readonly output?: number;
}

/** What is asked of ours: a ratio to other contenders, or a figure in milliseconds or bytes, as it is or beyond that of another. */
export interface Bar {
  /** A contender of ours; the subject unless given. */
  readonly of?: string;
  /** Whom it is compared with: a contender, or the quickest of all peers. Without it the figure itself is meant. */
  readonly to?: string | { readonly best: 'peer' };
  /** The contender whose own figure is taken off first, round by round. */
  readonly beyond?: string;
  readonly figure: Figure;
  readonly atMost: number;
}
