import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BuildEvent, type KnownSecrets, secretMask } from '../../build/index.ts';
import { UiError } from '../error.ts';
import type { ProgressRenderer } from '../progress/types.ts';
import { writeWholeFile } from '../whole-file.ts';
import { type Timeline, TimelineRecorder } from './timeline.ts';

/** Writes the timeline of a build into a file when the build has ended, however it ended. */
class TimelineFile implements ProgressRenderer {
  readonly #path: string;
  readonly #recorder: TimelineRecorder;
  #error: unknown;
  readonly #secrets: KnownSecrets[] = [];

  /** @throws UiError FILE_UNWRITABLE where there is no folder to write into: better before the build than after */
  constructor(path: string, now: () => number = Date.now) {
    const folder = dirname(path);
    if (!existsSync(folder)) {
      throw new UiError('FILE_UNWRITABLE', `cannot write ${path}: ${folder} is not there`, { exitCode: 125 });
    }
    this.#path = path;
    this.#recorder = new TimelineRecorder(now);
  }

  event(event: BuildEvent): void {
    this.#recorder.event(event);
  }

  end(error?: unknown): void {
    this.#error = error;
  }

  suspend(): void {}

  resume(): void {}

  hide(values: KnownSecrets): void {
    this.#secrets.push(values);
  }

  async close(): Promise<void> {
    const { timelinePage } = await import('./page.ts');
    const mask = secretMask(this.#secrets.flatMap((values) => values()));
    await writeWholeFile(this.#path, timelinePage(masked(this.#recorder.timeline(this.#error), mask)));
  }
}

/** What steps wrote and failed with can have secrets in it. */
function masked(timeline: Timeline, mask: (text: string) => string): Timeline {
  const optional = (text: string | undefined) => (text === undefined ? undefined : mask(text));
  const steps = timeline.steps.map((step) => ({ ...step, tail: step.tail.map(mask), error: optional(step.error) }));
  return { ...timeline, steps, error: optional(timeline.error) };
}

/** @throws UiError FILE_UNWRITABLE */
export function timelineFile(path: string, now?: () => number): ProgressRenderer {
  return new TimelineFile(path, now);
}
