import type { Step, StepGraph, StepId } from '../../dockerfile/index.ts';
import { messageOf } from '../../errors.ts';
import { chainIdOf, chainIdOfAll, type Digest } from '../../oci/index.ts';
import type { CacheRecord, Store } from '../../store/index.ts';
import type { LayerLoss } from '../cache/build-cache.ts';
import { isOwnFailure } from '../cache/settle.ts';
import type { CacheKey } from './cache-key.ts';
import type { OpenContext } from '../contexts/main-context.ts';
import { timeOf } from '../plan/epoch-time.ts';
import type { MissReason, OnBuildEvent } from '../events.ts';
import type { Lane } from '../workshop/lane.ts';
import { AccountBook } from './account-book.ts';
import { projectOf } from './account.ts';
import { failureOf } from './failure.ts';
import { hinted } from '../failed-step/failed-steps.ts';
import { type ChangingStep, StepKeys, type Taken } from './keys.ts';
import { lastingOf, lastOf } from './lasting.ts';
import { planEvent } from './plan-event.ts';
import { schedule } from './schedule.ts';
import { StepWork } from './step-work.ts';
import type { SolveOptions, Solution, StepResult } from './contract.ts';
import type { TreeOffer } from '../contexts/trees.ts';

/**
 * Does the steps of a graph, or finds them done: each one container or copy, then one commit (DESIGN idea 3). Those that do not
 * need each other are done at once, and what two builds want at the same time is done by one of them.
 * @throws BuildError, and what rooms below throw, for the first step that failed; others that failed are in its details
 */
export async function solve(graph: Pick<StepGraph, 'steps'>, options: SolveOptions): Promise<Solution> {
  await using solver = new Solver(graph.steps, options);
  try {
    await solver.solve();
  } catch (error) {
    solver.book.close([]);
    throw error;
  }
  return { results: solver.results, close: (images) => solver.book.close(images) };
}

/** How a step was solved. */
interface Solved {
  readonly result: StepResult;
  readonly cached: boolean;
  /** Milliseconds that it took when it was done, for one that is cached. */
  readonly saved?: number | undefined;
}

/** The layer of a cached step cannot be had after all. */
class LostLayer extends Error {
  readonly diffId: Digest;
  constructor(diffId: Digest, cause: unknown) {
    super(messageOf(cause), { cause });
    this.diffId = diffId;
  }
}

class Solver implements TreeOffer, AsyncDisposable {
  readonly results = new Map<StepId, StepResult>();
  readonly book: AccountBook;
  readonly #steps: readonly Step[];
  readonly #options: SolveOptions;
  readonly #keys: StepKeys;
  /** Steps whose layers become part of a result: they must be to be had. Of the others it is enough to know what they were. */
  readonly #lasting: ReadonlySet<StepId>;
  /** What this build made itself, by key: the same work is done once even with --no-cache. */
  readonly #made = new Map<Digest, CacheRecord>();
  /** chainIDs that cached steps gave. */
  readonly #believed = new Set<Digest>();
  /** Steps that were told of, with what they gave: beginning again tells only of what is new. */
  readonly #told = new Map<StepId, Digest | undefined>();
  readonly #work: StepWork;
  /** Set where a cached layer proved to be lost: all is solved again without it. */
  #beginsAgain = false;
  /** Aborted when a step failed or the caller gave up, while steps are at work. */
  #stop: AbortSignal | undefined;
  /** Aborted when nobody waits for what is read ahead any more. */
  readonly #ended = new AbortController();
  /** RUN steps that are still to be solved. */
  #runs = 0;
  /** What was told of lost layers. */
  readonly #losses = new Set<string>();

  constructor(steps: readonly Step[], options: SolveOptions) {
    this.#steps = steps;
    this.#options = options;
    const { store, cache, lane, request, context, workshop, reader, epoch } = options;
    this.#keys = new StepKeys({ offer: this, cache, workshop, reader, request, surroundings: { epoch } });
    const last = lastOf(steps);
    // Its diffID would come later, and some step wait for it.
    const blobFormOf = ({ id }: Step) => (last.has(id) ? options.blobForm : undefined);
    this.#work = new StepWork({ ...options, offer: this, keys: this.#keys, blobFormOf });
    this.#lasting = lastingOf(steps);
    this.book = new AccountBook(steps, {
      accounts: store.accounts,
      build: options.build ?? lane.id,
      project: projectOf(request),
      dockerfile: context.dockerfile.name,
      compare: (before, after, signal) => this.#keys.compare(before, after, signal),
    });
  }

  get store(): Store {
    return this.#options.store;
  }
  get lane(): Lane {
    return this.#options.lane;
  }
  get context(): OpenContext {
    return this.#options.context;
  }
  get secrets(): TreeOffer['secrets'] {
    return this.#options.secrets;
  }
  get folders(): TreeOffer['folders'] {
    return this.#options.folders;
  }
  get modes(): TreeOffer['modes'] {
    return this.#options.request.contextModes;
  }
  get remote(): TreeOffer['remote'] {
    return this.#options.remote;
  }
  get signal(): AbortSignal | undefined {
    return this.#stop ?? this.#options.signal;
  }

  /** When all that a reproducible build makes was made. */
  get #epoch(): string | undefined {
    const { epoch } = this.#options;
    return epoch === undefined ? undefined : timeOf(epoch);
  }

  layersOf(step: StepId): readonly Digest[] {
    const result = this.results.get(step);
    if (result === undefined) throw new Error(`step ${step} is used before it is solved`);
    return result.diffIds;
  }

  /** Unpacks what steps gave; a cached layer that is lost or false makes its step be done again. */
  async unpack(diffIds: readonly Digest[], id?: StepId): Promise<void> {
    const { signal } = this;
    try {
      const onProgress = id === undefined ? undefined : (event: Unpacking) => this.#unpacking(id, event);
      await this.store.unpack(diffIds, { signal, onProgress });
    } catch (error) {
      signal?.throwIfAborted();
      if (isOwnFailure(error)) throw error;
      let chainId: Digest | undefined;
      for (const diffId of diffIds) {
        chainId = chainIdOf(chainId, diffId);
        if (this.store.snapshots.has(chainId)) continue;
        throw this.#believed.has(chainId) ? new LostLayer(diffId, error) : error;
      }
      throw error;
    }
  }

  async solve(): Promise<void> {
    const { onEvent, signal } = this.#options;
    onEvent(planEvent(this.context, this.#steps, this.store.root));
    const ended = AbortSignal.any([this.#ended.signal, ...(signal === undefined ? [] : [signal])]);
    for (;;) {
      this.#beginsAgain = false;
      this.#keys.readAhead(this.#steps, ended);
      this.#runs = this.#steps.filter(({ kind }) => kind === 'run').length;
      const { failures, again } = await schedule(this.#steps, {
        perform: (step, stop) => this.#step(step, (this.#stop = stop)),
        onFailed: (step, error) =>
          onEvent({ type: 'step-error', id: step.id, message: messageOf(error), time: Date.now() }),
        onCancelled: (step) => onEvent({ type: 'step-cancelled', id: step.id, time: Date.now() }),
        signal,
      });
      this.#stop = undefined;
      if (failures.length > 0) throw hinted(failureOf(failures, this.context.dockerfile), await this.#work.attend());
      if (!again && !(await this.#lacksLayers())) return;
      this.results.clear();
      this.#keys.forgetResults();
    }
  }

  async #step(step: Step, signal: AbortSignal): Promise<'done' | 'again'> {
    try {
      const silent = this.#told.has(step.id);
      if (!silent) this.#tell({ type: 'step-start', id: step.id, title: step.title, time: Date.now() });
      const { result, cached, saved } = step.kind === 'image' ? this.#image(step) : await this.#changing(step, signal);
      this.results.set(step.id, result);
      if (step.kind === 'run' && --this.#runs === 0) this.#work.endRuns();
      const own = result.diffIds.at(-1);
      if (!cached && step.kind !== 'image' && own !== undefined && this.#lasting.has(step.id))
        this.#options.onLayer?.(own);
      if (silent && this.#told.get(step.id) === own) return 'done';
      this.#told.set(step.id, own);
      const digest = step.kind === 'image' ? undefined : own;
      const size = digest === undefined ? undefined : this.store.layerSize(digest);
      this.#tell({ type: 'step-done', id: step.id, cached, time: Date.now(), digest, size, saved });
      return 'done';
    } catch (error) {
      if (!(error instanceof LostLayer)) throw error;
      if (!this.#reject([{ diffId: error.diffId, why: error.message }])) throw error.cause;
      return 'again';
    }
  }

  /** Whether what was solved relies on cached layers that are lost: their steps are done then. */
  async #lacksLayers(): Promise<boolean> {
    const lost = await this.#options.settle(this.results);
    return lost.length > 0 && this.#reject(lost);
  }

  /**
   * False where no cached step relied on these layers, so that beginning again would not help. Several steps may miss the same
   * layer at once.
   */
  #reject(lost: readonly LayerLoss[]): boolean {
    const { cache } = this.#options;
    const notes = lost.map((loss) => cache.noteOf(loss));
    if (cache.reject(lost.map(({ diffId }) => diffId)).length === 0) return this.#beginsAgain;
    for (const note of notes) if (!this.#losses.has(note.message)) this.#tell(note);
    for (const { message } of notes) this.#losses.add(message);
    this.#beginsAgain = true;
    return true;
  }

  #tell(event: Parameters<OnBuildEvent>[0]): void {
    this.#options.onEvent(event);
  }

  #image(step: Step & { kind: 'image' }): Solved {
    const { config, pinned } = this.#options.imageOf(step);
    this.book.image(step, config.diffIds, pinned.slice(pinned.lastIndexOf('@') + 1));
    return { result: { diffIds: config.diffIds, created: config.created }, cached: false };
  }

  async #changing(step: ChangingStep, signal: AbortSignal): Promise<Solved> {
    const below = step.input === undefined ? [] : this.layersOf(step.input);
    const parent = chainIdOfAll(below);
    const key = await this.#keys.keyOf(step, parent, { signal });
    const known = this.#find(step, key, parent);
    if (known !== undefined) return this.#cached(step, { key, known, below });
    using _claim = await this.store.cache.claim(key.key, { signal });
    const meanwhile = this.#find(step, key, parent);
    if (meanwhile !== undefined) return this.#cached(step, { key, known: meanwhile, below });
    return await this.#do(step, { key, below, signal }); // the claim is held until then
  }

  #cached(
    step: ChangingStep,
    { key, known, below }: { key: CacheKey; known: CacheRecord; below: readonly Digest[] },
  ): Solved {
    const diffIds = [...below, known.diffId];
    this.#believed.add(chainIdOf(chainIdOfAll(below), known.diffId));
    this.book.enter(step, { key, outcome: 'cached' }, diffIds);
    const created = this.#epoch ?? this.#options.cache.fact('created', known.key);
    return { result: { diffIds, created }, cached: true, saved: known.duration };
  }

  /** A record of this step, or of one whose sources are called otherwise, where that does not matter. */
  #find(step: ChangingStep, key: CacheKey, parent: Digest | undefined): CacheRecord | undefined {
    // Asked for even where it is not needed: what a build asked for is what it tells others.
    const alike = key.nameless && this.#findOne(step, key.nameless, parent);
    return this.#findOne(step, key, parent) ?? alike;
  }

  /** Where the result needs its layer, a record counts only while that is to be had, on this parent. */
  #findOne(step: ChangingStep, { key }: CacheKey, parent: Digest | undefined): CacheRecord | undefined {
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    if (this.#isUncached(step)) return undefined;
    const record = this.#options.cache.get(key, { withoutLayer: !this.#lasting.has(step.id) });
    if (record === undefined) return undefined;
    const usable =
      standsAlone(step) || record.parent === parent || this.store.snapshots.has(chainIdOf(parent, record.diffId));
    return usable ? record : undefined;
  }

  #isUncached(step: ChangingStep): boolean {
    const { noCache, noCacheFilter = [] } = this.#options.request;
    return noCache || noCacheFilter.some((stage) => stage.toLowerCase() === step.stage.toLowerCase());
  }

  async #do(
    step: ChangingStep,
    { key, below, signal }: { key: CacheKey; below: readonly Digest[]; signal: AbortSignal },
  ): Promise<Solved> {
    const begun = Date.now();
    const parent = standsAlone(step) ? undefined : chainIdOfAll(below);
    const reasons = await this.#reasonsFor(step, key, signal);
    this.#tell({ type: 'step-explained', id: step.id, reasons });
    try {
      this.#work.expect(step);
      if (!standsAlone(step)) await this.unpack(below, step.id);
      const { diffId, taken, duration } = await this.#work.perform(step, parent, signal);
      const done = await this.#keys.keyOfDone(step, chainIdOfAll(below), { key, signal, taken });
      const created = new Date().toISOString();
      for (const { key: each, parts } of keysToKeep(done, taken)) {
        const record: CacheRecord = { key: each, parts, diffId, parent, duration };
        this.#options.cache.put(record);
        this.#options.cache.putFact('created', each, created);
        this.#made.set(each, record);
      }
      const diffIds = [...below, diffId];
      this.book.enter(step, { key: done, outcome: 'done', reasons, milliseconds: duration }, diffIds);
      return { result: { diffIds, created: this.#epoch ?? created }, cached: false };
    } catch (error) {
      if (!signal.aborted)
        this.book.enter(step, { key, outcome: 'failed', reasons, milliseconds: Date.now() - begun }, []);
      throw error;
    }
  }

  async #reasonsFor(step: ChangingStep, key: CacheKey, signal: AbortSignal): Promise<readonly MissReason[]> {
    await this.#keys.writeListings(key, signal);
    if (!this.#isUncached(step)) return this.book.explain(step, key, signal);
    return [
      { part: 'no-cache', text: this.#options.request.noCache ? '--no-cache' : `--no-cache-filter ${step.stage}` },
    ];
  }

  #unpacking(id: StepId, event: Unpacking): void {
    this.#tell({
      type: 'step-progress',
      id,
      label: `unpack ${event.diffId.slice(7, 19)}`,
      current: event.bytes,
      total: event.total,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#work[Symbol.asyncDispose]();
  }
}

/** COPY --link: made beside what is below, so that the layer fits on any base, and a base is not even unpacked for it. */
function standsAlone(step: ChangingStep): boolean {
  return step.kind === 'copy' && step.link;
}

function keysToKeep(key: CacheKey, taken: Taken): readonly CacheKey[] {
  return key.nameless !== undefined && taken.named === false ? [key, key.nameless] : [key];
}

type Unpacking = { readonly diffId: Digest; readonly bytes: number; readonly total: number };
