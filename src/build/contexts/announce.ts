import { messageOf } from '../../errors.ts';
import type { OnBuildEvent } from '../events.ts';

export interface Announcement {
  /** Of the events: a word, or one with a name. */
  readonly id: string;
  readonly title: string;
  readonly onEvent?: OnBuildEvent | undefined;
}

/** Shows work around the graph as a step of its own: what comes from elsewhere may take its time. */
export async function announced<T>({ id, title, onEvent }: Announcement, work: () => Promise<T>): Promise<T> {
  onEvent?.({ type: 'step-start', id, title, time: Date.now() });
  try {
    const result = await work();
    onEvent?.({ type: 'step-done', id, cached: false, time: Date.now() });
    return result;
  } catch (error) {
    onEvent?.({ type: 'step-error', id, message: messageOf(error), time: Date.now() });
    throw error;
  }
}
