/**
 * What a build tells while it runs: plain objects, one way, upwards (DESIGN "How things flow"). `time` is in milliseconds since
 * 1970; `id` is a step's id in the graph, or a word such as `context` for work around it.
 */
export type BuildEvent =
  | { readonly type: 'step-start'; readonly id: string; readonly title: string; readonly time: number }
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
    }
  | { readonly type: 'step-error'; readonly id: string; readonly message: string; readonly time: number }
  | BuildNote;

export interface BuildNote {
  readonly type: 'note';
  readonly level: 'info' | 'warning';
  readonly message: string;
  /** What checks found in the Dockerfile, where the message sums that up. */
  readonly findings?: readonly BuildFinding[];
}

export interface BuildFinding {
  readonly rule: string;
  readonly message: string;
  readonly line?: number | undefined;
}

export type OnBuildEvent = (event: BuildEvent) => void;
