import type { BuildEvent, MissReason, PlannedStep } from '../../build/index.ts';
import { messageOf } from '../../errors.ts';
import { type StepOutcome, type StepState, Steps } from '../progress/steps.ts';
import { criticalPath } from './critical-path.ts';

/** A build as it went, ready to be drawn. Times are milliseconds since its beginning. */
export interface Timeline {
  readonly dockerfile: string | undefined;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly duration: number;
  /** Why it failed; undefined where it did not. */
  readonly error: string | undefined;
  readonly steps: readonly TimelineStep[];
  /** Ids of the steps that made the build take as long as it did, first to last. */
  readonly critical: readonly string[];
}

export interface TimelineStep {
  readonly id: string;
  readonly title: string;
  /** `around`: work that is no step of the graph (metadata, contexts, export). */
  readonly kind: PlannedStep['kind'] | 'around';
  /** The stage; undefined for work around the graph. */
  readonly stage: string | undefined;
  readonly outcome: StepOutcome;
  readonly start: number;
  readonly end: number;
  readonly needs: readonly string[];
  readonly size: number | undefined;
  readonly saved: number | undefined;
  readonly reasons: readonly MissReason[];
  /** The last lines of its output. */
  readonly tail: readonly string[];
  readonly error: string | undefined;
  readonly location: PlannedStep['location'];
}

/** Collects the events of a build. */
export class TimelineRecorder {
  readonly #steps = new Steps();
  readonly #now: () => number;
  readonly #began: number;
  #dockerfile: string | undefined;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#began = now();
  }

  event(event: BuildEvent): void {
    if (event.type === 'note') return;
    if (event.type === 'plan') this.#dockerfile ??= event.dockerfile;
    const step = this.#steps.apply(event);
    if (event.type === 'step-log') step?.addOutput(event.stream, event.data);
    if (step?.ended !== undefined) step.flushOutput();
  }

  /** The build so far; what still runs ends now. */
  timeline(error?: unknown): Timeline {
    const now = this.#now();
    const began = Math.min(this.#began, ...this.#steps.all.map(({ started }) => started));
    const steps = this.#steps.all.map((step) => this.#stepOf(step, began, now));
    return {
      dockerfile: this.#dockerfile,
      began,
      duration: Math.max(now - began, ...steps.map(({ end }) => end)),
      error: error === undefined ? undefined : messageOf(error),
      steps,
      critical: criticalPath(
        steps.map(({ id, start, end, needs, kind }) => ({ id, start, end, needs, around: kind === 'around' })),
      ),
    };
  }

  #stepOf(step: StepState, began: number, now: number): TimelineStep {
    const planned = this.#steps.planned(step.id);
    const start = step.started - began;
    return {
      id: step.id,
      title: step.title,
      kind: planned?.kind ?? 'around',
      stage: planned?.stage,
      outcome: step.outcome,
      start,
      end: start + step.elapsed(now),
      needs: planned?.needs ?? [],
      size: step.size,
      saved: step.saved,
      reasons: step.reasons,
      tail: step.tail,
      error: step.error,
      location: planned?.location,
    };
  }
}
