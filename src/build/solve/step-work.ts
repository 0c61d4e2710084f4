import type { CopyStep, RunStep } from '../../dockerfile/index.ts';
import type { DraftLayer, LayerTask } from '../../layer/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { ImageForm } from '../../store/index.ts';
import { FailedSteps, isStepFailure } from '../failed-step/failed-steps.ts';
import type { Workplace } from '../workshop/jobs.ts';
import { type PreparedRun, prepareRun } from '../run/run-step.ts';
import type { SolveOptions } from './contract.ts';
import type { TreeOffer } from '../contexts/trees.ts';
import type { ChangingStep, StepKeys, Taken } from './keys.ts';
import { RunConditions, type RunPlace } from '../run/run-conditions.ts';

export interface StepWorkOptions extends SolveOptions {
  readonly offer: TreeOffer;
  readonly keys: StepKeys;
  /** The form in which a step's layer is wanted as a blob, where no other step waits for it. */
  blobFormOf(step: ChangingStep): ImageForm | undefined;
}

/** A layer that was made and committed, with what the step found its sources to hold. */
export interface MadeLayer extends DraftLayer {
  readonly taken: Taken;
  /** Milliseconds of work: what it waited for others is none. */
  readonly duration: number;
}

/** What a step is done with. */
interface Doing {
  readonly place: Workplace;
  readonly signal: AbortSignal;
  readonly time: WorkTime;
}

interface Done {
  readonly taken: Taken;
  /** Where the layer was made along with the change. */
  readonly draft?: DraftLayer | undefined;
}

/** Does steps in earnest: a snapshot, a change, a layer. Keeps what a failed step left, where that is wanted. */
export class StepWork implements AsyncDisposable {
  readonly #options: StepWorkOptions;
  readonly #conditions: RunConditions;
  readonly #failed: FailedSteps;

  constructor(options: StepWorkOptions) {
    this.#options = options;
    this.#conditions = new RunConditions({ ...options, privileges: options.store.privileges });
    this.#failed = new FailedSteps({
      ...options,
      conditions: this.#conditions,
      layersOf: (step) => options.offer.layersOf(step),
      prepare: (step, place, around) => this.#prepare(step, place, around),
    });
  }

  /** A step will be done soon: what it needs can be got ready. */
  expect(step: ChangingStep): void {
    if (step.kind !== 'run') return;
    this.#conditions.expect(step);
    this.#options.workshop.expectRun();
  }

  /** The last RUN step is done: what only such steps need can be cleared away. */
  endRuns(): void {
    this.#conditions.leave();
  }

  /** After a failure, when nothing runs any more: what the user is told or shown of it. */
  attend(): ReturnType<FailedSteps['attend']> {
    return this.#failed.attend();
  }

  /** Prepares a snapshot, has the workshop change it, and commits it. */
  async perform(step: ChangingStep, parent: Digest | undefined, signal: AbortSignal): Promise<MadeLayer> {
    const scratch = await this.#options.lane.scratch();
    const active = await this.#options.store.snapshots.prepare(parent);
    try {
      const { epoch } = this.#options;
      const time = new WorkTime();
      const place = { active, scratch, notBefore: epoch };
      const { taken, draft: made } = await this.#work(step, { place, signal, time });
      const how = { signal, clampTo: epoch, blobForm: this.#options.blobFormOf(step) };
      const draft = made ?? (await this.#options.store.snapshots.diff(active, how));
      await this.#options.store.snapshots.commit(active, draft);
      return { ...draft, taken, duration: time.spent };
    } catch (error) {
      if (step.kind === 'run' && isStepFailure(error) && this.#failed.hold(step, active, error.exitCode)) throw error;
      // What cannot be cleared away now is the next command's; the reason is what the user needs.
      await this.#options.store.snapshots.discard(active).catch(() => undefined);
      throw error;
    }
  }

  async #work(step: ChangingStep, doing: Doing): Promise<Done> {
    switch (step.kind) {
      case 'workdir': {
        const { place, signal, time } = doing;
        const job = { kind: 'workdir', place, path: step.path, user: step.user } as const;
        await this.#options.workshop.run(job, { signal, onBegin: time.wait() });
        return { taken: {} };
      }
      case 'copy':
        return this.#copy(step, doing);
      case 'run':
        return this.#run(step, doing);
    }
  }

  async #copy(step: CopyStep, { place, signal, time }: Doing): Promise<Done> {
    const selection = await this.#options.keys.selectionOf(step, signal);
    const { digest, named, draft } = await this.#options.workshop.run(
      {
        kind: 'copy',
        place,
        selection,
        destination: step.destination,
        owner: step.owner,
        mode: step.mode,
        link: step.link,
        unpack: step.unpack,
        statCache: this.#options.reader.statCache,
        layer: this.#layerOf(step, place),
      },
      { signal, onBegin: time.wait() },
    );
    return { taken: { sources: digest, named }, draft };
  }

  /** For the step's own thread. One that goes elsewhere is packed in the same pass, by threads that are for it. */
  #layerOf(step: ChangingStep, { active }: Workplace): LayerTask | undefined {
    const { store, epoch } = this.#options;
    const isPacked = this.#options.blobFormOf(step) !== undefined;
    return isPacked ? undefined : store.snapshots.layerTask(active, { clampTo: epoch });
  }

  async #run(step: RunStep, { place, signal, time }: Doing): Promise<Done> {
    const { workshop, shown, store } = this.#options;
    // Network and caches are for the next one while the layer is made.
    await using lent = new Lent();
    const entered = time.wait();
    const around = lent.use(await this.#conditions.enter(step, signal));
    entered();
    const { job, failure, onOutput } = lent.use(await this.#prepare(step, place, around, signal));
    const layer = this.#layerOf(step, place);
    using _ready = layer === undefined ? whileItRuns(() => store.snapshots.expectDiff()) : undefined;
    const options = { signal, onOutput, shown, onBegin: time.wait(), onLeft: () => lent.giveBack() };
    const end = await workshop.run({ ...job, layer }, options);
    if (end.exitCode !== 0) throw failure(end);
    return { taken: { mounts: end.shown }, draft: end.draft };
  }

  async #prepare(
    step: RunStep,
    place: Workplace,
    around: RunPlace,
    signal = this.#options.signal ?? new AbortController().signal,
  ): Promise<PreparedRun> {
    const { offer, epoch, request, workshop, onEvent } = this.#options;
    const digests = await this.#options.keys.mountDigests(step, { signal });
    return prepareRun(step, place, { ...around, offer, epoch, request, workshop, digests, onEvent, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#failed[Symbol.asyncDispose]();
  }
}

/** The time that a step takes, from now on, without what it spends in lines. */
class WorkTime {
  readonly #begun = performance.now();
  #waited = 0;

  /** Begins to wait; what is returned ends it. */
  wait(): () => void {
    const since = performance.now();
    return () => void (this.#waited += performance.now() - since);
  }

  /** Milliseconds. */
  get spent(): number {
    return Math.round(performance.now() - this.#begun - this.#waited);
  }
}

/** What a step is lent, given back once: early, or at its end. */
class Lent implements AsyncDisposable {
  readonly #things = new AsyncDisposableStack();
  #given: Promise<void> | undefined;

  use<Thing extends Disposable | AsyncDisposable>(thing: Thing): Thing {
    return this.#things.use(thing);
  }

  /** Where that fails, whoever disposes of this is told. */
  giveBack(): void {
    this.#given ??= this.#things.disposeAsync();
    this.#given.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.giveBack();
    await this.#given;
  }
}

/** Gets something ready while a step runs: not at once, when there is enough to do. */
function whileItRuns(prepare: () => Disposable): Disposable {
  let prepared: Disposable | undefined;
  const timer = setTimeout(() => (prepared = prepare()), 200).unref();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      prepared?.[Symbol.dispose]();
    },
  };
}
