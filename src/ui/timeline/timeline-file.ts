import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BuildEvent } from '../../build/index.ts';
import { UiError } from '../error.ts';
import type { ProgressRenderer } from '../progress/types.ts';
import { writeWholeFile } from '../whole-file.ts';
import { TimelineRecorder } from './timeline.ts';

/** Writes the timeline of a build into a file when the build has ended, however it ended. */
class TimelineFile implements ProgressRenderer {
  readonly #path: string;
  readonly #recorder: TimelineRecorder;
  #error: unknown;

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

  async close(): Promise<void> {
    const { timelinePage } = await import('./page.ts');
    await writeWholeFile(this.#path, timelinePage(this.#recorder.timeline(this.#error)));
  }
}

/** @throws UiError FILE_UNWRITABLE */
export function timelineFile(path: string, now?: () => number): ProgressRenderer {
  return new TimelineFile(path, now);
}
