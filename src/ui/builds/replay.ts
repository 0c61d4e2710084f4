import type { BuildRecord, RecordedEvent } from '../../build/index.ts';
import type { ProgressRenderer } from '../progress/types.ts';

export interface ReplayOptions {
  /** Makes the renderer, which must take its time from the clock that it is given: the one of the build. */
  readonly rendererFor: (now: () => number) => ProgressRenderer;
  /** What to wait for before more is written. */
  readonly shown?: (() => Promise<void> | undefined) | undefined;
}

/** Shows a build that was recorded as it was shown while it ran. */
export async function replay(
  record: BuildRecord,
  events: AsyncIterable<RecordedEvent>,
  { rendererFor, shown }: ReplayOptions,
): Promise<void> {
  let time = record.started;
  const renderer = rendererFor(() => time);
  for await (const event of events) {
    time = event.time;
    renderer.event(event);
    await shown?.();
  }
  time = Math.max(time, record.ended ?? 0);
  renderer.end(record.state === 'done' ? undefined : new Error(record.error?.message ?? 'interrupted'));
  await renderer.close?.();
}
