import { isSlipwayError } from '../../errors.ts';
import type { OnBuildEvent } from '../events.ts';
import type { BuildRequest } from '../request.ts';
import { defaultKept } from './history.ts';
import { BuildRecorder, type RecordedResult } from './recorder.ts';

export interface RecordOptions {
  /** The store's folder. */
  readonly root: string;
  readonly onEvent: OnBuildEvent;
  readonly shown?: (() => Promise<void> | undefined) | undefined;
  readonly hide?: ((values: KnownSecrets) => void) | undefined;
}

/** The values of secrets that a build has asked for so far. */
export type KnownSecrets = () => readonly Uint8Array[];

/** What a build that is recorded uses in place of its caller's. */
export interface Recording extends Pick<RecordOptions, 'onEvent' | 'shown'> {
  /** By which the history knows it; undefined where it is not kept. */
  readonly id: string | undefined;
  /** Names where values come from that must not be written. */
  readonly hide: (values: KnownSecrets) => void;
}

/** Does a build and writes down how it went, as far as its request wants that. */
export async function recordBuild<R extends RecordedResult>(
  request: BuildRequest,
  options: RecordOptions,
  work: (recording: Recording) => Promise<R>,
): Promise<R> {
  const { root, onEvent, shown, hide = () => {} } = options;
  const kept = request.history ?? defaultKept;
  if (kept === 0) return work({ id: undefined, onEvent, shown, hide });
  const recorder = new BuildRecorder(root, request, kept);
  try {
    const result = await work({
      id: recorder.id,
      onEvent: (event) => {
        recorder.event(event);
        onEvent(event);
      },
      shown: () => both(shown?.(), recorder.drained()),
      hide: (values) => {
        recorder.hide(values);
        hide(values);
      },
    });
    await recorder.end({ result });
    return result;
  } catch (error) {
    const isKept = await recorder.end({ error });
    throw isKept ? withLog(error, recorder.id) : error;
  }
}

/** Says where all is that a failed step wrote: a display shows its end alone. */
function withLog(error: unknown, id: string): unknown {
  if (!isSlipwayError(error) || error.code !== 'STEP_FAILED') return error;
  return Object.assign(error, { details: [...error.details, `all output: slipway builds logs ${id}`] });
}

function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<void> | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Promise.all([one, other]).then(() => undefined);
}
