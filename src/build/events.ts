/**
 * What a build tells while it runs: plain objects, one way, upwards (DESIGN "How things flow"). `time` is in milliseconds since
 * 1970; `id` is a step's id in the graph, or a word such as `context` for work around it.
 */
export type BuildEvent =
  /** Before the first step: what the graph asks for, so that a display knows what comes. */
  | {
      readonly type: 'plan';
      readonly dockerfile: string;
      /** Where that is on this machine; absent where it came through standard input, from a repository or in an archive. */
      readonly path?: string | undefined;
      readonly steps: readonly PlannedStep[];
      readonly time: number;
    }
  | { readonly type: 'step-start'; readonly id: string; readonly title: string; readonly time: number }
  /** Why a step is not taken from the cache; after its start, before its work. */
  | { readonly type: 'step-explained'; readonly id: string; readonly reasons: readonly MissReason[] }
  | { readonly type: 'step-log'; readonly id: string; readonly stream: 'stdout' | 'stderr'; readonly data: string }
  | {
      readonly type: 'step-progress';
      readonly id: string;
      readonly label: string;
      readonly current: number;
      readonly total?: number;
    }
  | {
      readonly type: 'step-done';
      readonly id: string;
      readonly cached: boolean;
      readonly skipped?: boolean;
      readonly time: number;
      /** DiffID of its layer, where it made or found one. */
      readonly digest?: string | undefined;
      /** Bytes of its layer's tar, where it has one. */
      readonly size?: number | undefined;
      /** Milliseconds that it took when it was done, where it is cached now. */
      readonly saved?: number | undefined;
    }
  | { readonly type: 'step-error'; readonly id: string; readonly message: string; readonly time: number }
  /** It was stopped, or never begun, because another step failed or the user ended the build. */
  | { readonly type: 'step-cancelled'; readonly id: string; readonly time: number }
  | BuildNote;

/** A step of the graph, as a display and the timeline need it. */
export interface PlannedStep {
  readonly id: string;
  readonly title: string;
  readonly kind: 'image' | 'run' | 'copy' | 'workdir';
  /** Name of the stage, or its number as text. */
  readonly stage: string;
  /** Ids of the steps whose results it needs. */
  readonly needs: readonly string[];
  /** First and last line in the Dockerfile, from 1; absent for implicit steps. */
  readonly location?: { readonly start: number; readonly end: number } | undefined;
}

/** One part of a cache key that differs from the last time this step was done; values that look secret are masked. */
export interface MissReason {
  /** `parent`, `command`, `environment`, `source`, `no-cache`, `new`, …. */
  readonly part: string;
  /** What differs within it: the variable, the file, the mount. */
  readonly name?: string | undefined;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** All of it for people, one line. */
  readonly text: string;
}

/** A word of the build itself, of no step. */
export interface BuildNote {
  readonly type: 'note';
  readonly level: 'info' | 'warning';
  readonly message: string;
  /** What checks found in the Dockerfile, where the message sums that up. */
  readonly findings?: readonly BuildFinding[];
}

/** What one check found. */
export interface BuildFinding {
  readonly rule: string;
  readonly message: string;
  readonly line?: number | undefined;
}

/** Told of each event as it happens, in order. It must not throw. */
export type OnBuildEvent = (event: BuildEvent) => void;
