import { firstError } from '../../errors.ts';
import type { Step, StepId } from '../../dockerfile/index.ts';

export interface ScheduleOptions {
  /**
   * Does one step; all that it needs is done. `signal` is aborted when another step failed. `again`: what was believed of an
   * earlier step proved wrong; those that run may end, and then the whole is to be begun again.
   */
  perform(step: Step, signal: AbortSignal): Promise<'done' | 'again'>;
  /** A step that failed of itself. */
  onFailed(step: Step, error: unknown): void;
  /** A step that was stopped, or never begun, because another one failed or the caller gave up. */
  onCancelled(step: Step): void;
  readonly signal?: AbortSignal | undefined;
}

export interface StepFailure {
  readonly step: Step;
  readonly error: unknown;
}

export interface ScheduleResult {
  /** What failed of itself, in the order of the graph. */
  readonly failures: readonly StepFailure[];
  /** Whether it is to be begun again. */
  readonly again: boolean;
}

/**
 * Does each step as soon as all it needs is done, any number at once. At the first failure the steps that run are told to stop
 * and no other begins. Returns when none runs any more.
 * @throws the signal's reason where the caller gave up
 */
export async function schedule(steps: readonly Step[], options: ScheduleOptions): Promise<ScheduleResult> {
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([failed.signal, options.signal]);
  const failures = new Map<StepId, StepFailure>();
  /** Whether the step was done. */
  const done = new Map<StepId, Promise<boolean>>();
  let again = false;

  const begin = async (step: Step, needed: readonly Promise<boolean>[]): Promise<boolean> => {
    const ready = (await Promise.all(needed)).every(Boolean);
    if (!ready || signal.aborted || again) {
      if (!again) options.onCancelled(step);
      return false;
    }
    try {
      const outcome = await options.perform(step, signal);
      if (outcome === 'again') again = true;
      return outcome === 'done';
    } catch (thrown) {
      const error = firstError(thrown);
      if (signal.aborted && isCancellation(error, signal)) options.onCancelled(step);
      else {
        failures.set(step.id, { step, error });
        options.onFailed(step, error);
      }
      failed.abort(error);
      return false;
    }
  };
  for (const step of steps) {
    const needed = needsOf(step).map(
      (id) => done.get(id) ?? Promise.reject(new Error(`${step.id} comes before ${id}`)),
    );
    done.set(step.id, begin(step, needed));
  }
  await Promise.all(done.values());
  options.signal?.throwIfAborted();
  return { failures: steps.flatMap((step) => failures.get(step.id) ?? []), again };
}

/** The steps whose results a step reads, each once. */
export function needsOf(step: Step): readonly StepId[] {
  if (step.kind === 'image') return [];
  const read = step.input === undefined ? [] : [step.input];
  const trees = step.kind === 'copy' ? step.sources : step.kind === 'run' ? step.mounts : [];
  for (const reader of trees) {
    if ('from' in reader && reader.from?.kind === 'step') read.push(reader.from.step);
  }
  return [...new Set(read)];
}

/** An error that says no more than that somebody told the step to stop: ours, or one of Node's (an `AbortError`). */
function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (error === signal.reason) return true;
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  return code === 'CANCELLED' || code === 'ABORTED' || name === 'AbortError';
}
