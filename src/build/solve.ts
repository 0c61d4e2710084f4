import type { NetworkPool } from '../container/index.ts';
import { type CopyStep, type RunStep, type Step, type StepGraph, type StepId } from '../dockerfile/index.ts';
import { messageOf } from '../errors.ts';
import { chainIdOf, chainIdOfAll, type Digest } from '../oci/index.ts';
import type { DraftLayer } from '../layer/index.ts';
import type { CacheRecord, Store } from '../store/index.ts';
import type { CacheLookup, LayerLoss } from './cache/build-cache.ts';
import type { CacheKey } from './cache-key.ts';
import type { OpenContext } from './contexts/main-context.ts';
import { timeOf } from './epoch-time.ts';
import type { MissReason, OnBuildEvent } from './events.ts';
import type { ResolvedImage } from './images/resolve.ts';
import type { Workplace } from './jobs.ts';
import type { Lane } from './lane.ts';
import type { BuildRequest } from './request.ts';
import { type PreparedRun, prepareRun } from './run-step.ts';
import { AccountBook } from './solve/account-book.ts';
import { projectOf } from './solve/account.ts';
import { failureOf } from './solve/failure.ts';
import type { OnShell } from './failed-step/contract.ts';
import { FailedSteps, hinted, isStepFailure } from './failed-step/failed-steps.ts';
import { type ChangingStep, StepKeys, type Taken } from './solve/keys.ts';
import { RunConditions, type RunPlace } from './solve/run-conditions.ts';
import { lastingOf } from './solve/lasting.ts';
import { planEvent } from './solve/plan-event.ts';
import { schedule } from './solve/schedule.ts';
import type { TreeOffer } from './trees.ts';
import type { Workshop } from './workshop.ts';

/** What a solved step left: its layers, lowest first, and when its own was made. */
export interface StepResult {
  readonly diffIds: readonly Digest[];
  /** RFC 3339; undefined for images from outside. */
  readonly created: string | undefined;
}

export interface SolveOptions {
  readonly store: Store;
  /** Asked and told instead of the store's own records: it also knows those of imported caches. */
  readonly cache: CacheLookup;
  readonly workshop: Workshop;
  readonly lane: Lane;
  /** Id by which the build is remembered; the lane's unless given. */
  readonly build?: string | undefined;
  readonly networks: NetworkPool;
  readonly request: BuildRequest;
  readonly context: OpenContext;
  readonly secrets: TreeOffer['secrets'];
  readonly folders: TreeOffer['folders'];
  readonly remote: TreeOffer['remote'];
  imageOf(step: Step & { kind: 'image' }): ResolvedImage;
  readonly onEvent: OnBuildEvent;
  readonly onShell?: OnShell | undefined;
  /** SOURCE_DATE_EPOCH of a reproducible build, seconds since 1970. */
  readonly epoch?: number | undefined;
  readonly shown: (() => Promise<void> | undefined) | undefined;
  /** Makes sure of layers that results have from elsewhere; returns those that are not to be had, or are others. */
  readonly settle: (results: ReadonlyMap<StepId, StepResult>) => Promise<readonly LayerLoss[]>;
  readonly signal: AbortSignal | undefined;
}

export interface Solution {
  readonly results: ReadonlyMap<StepId, StepResult>;
  /** Writes down what was done; `images` are the ids of what was made of it. */
  close(images: readonly Digest[]): void;
}

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
  readonly #conditions: RunConditions;
  /** Set where a cached layer proved to be lost: all is solved again without it. */
  #beginsAgain = false;
  /** What was told of lost layers. */
  readonly #losses = new Set<string>();
  readonly #failed: FailedSteps;

  constructor(steps: readonly Step[], options: SolveOptions) {
    this.#steps = steps;
    this.#options = options;
    const { store, cache, lane, request, context, workshop, epoch } = options;
    this.#keys = new StepKeys({ offer: this, cache, workshop, request, surroundings: { epoch } });
    this.#conditions = new RunConditions({ ...options, privileges: store.privileges });
    this.#failed = new FailedSteps({
      ...options,
      conditions: this.#conditions,
      layersOf: (step) => this.layersOf(step),
      prepare: (step, place, around) => this.#prepare(step, place, around),
    });
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
    return this.#options.signal;
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
    try {
      const onProgress = id === undefined ? undefined : (event: Unpacking) => this.#unpacking(id, event);
      await this.store.unpack(diffIds, { signal: this.signal, onProgress });
    } catch (error) {
      this.signal?.throwIfAborted();
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
    for (;;) {
      this.#beginsAgain = false;
      const { failures, again } = await schedule(this.#steps, {
        perform: (step, stop) => this.#step(step, stop),
        onFailed: (step, error) =>
          onEvent({ type: 'step-error', id: step.id, message: messageOf(error), time: Date.now() }),
        onCancelled: (step) => onEvent({ type: 'step-cancelled', id: step.id, time: Date.now() }),
        signal,
      });
      if (failures.length > 0) throw hinted(failureOf(failures, this.context.dockerfile), await this.#failed.attend());
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
      const own = result.diffIds.at(-1);
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
      if (step.kind === 'run') this.#conditions.expect(step);
      if (!standsAlone(step)) await this.unpack(below, step.id);
      const { diffId, taken } = await this.#perform(step, parent, signal);
      const done = await this.#keys.keyOfDone(step, chainIdOfAll(below), { key, signal, taken });
      const duration = Date.now() - begun;
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

  /** Prepares a snapshot, has the workshop change it, and commits it. */
  async #perform(
    step: ChangingStep,
    parent: Digest | undefined,
    signal: AbortSignal,
  ): Promise<DraftLayer & { readonly taken: Taken }> {
    const scratch = await this.lane.scratch();
    const active = await this.store.snapshots.prepare(parent);
    try {
      const { epoch } = this.#options;
      const taken = await this.#work(step, { active, scratch, notBefore: epoch }, signal);
      const draft = await this.store.snapshots.diff(active, { signal, clampTo: epoch });
      await this.store.snapshots.commit(active, draft);
      return { ...draft, taken };
    } catch (error) {
      if (step.kind === 'run' && isStepFailure(error) && this.#failed.hold(step, active, error.exitCode)) throw error;
      // What cannot be cleared away now is the next command's; the reason is what the user needs.
      await this.store.snapshots.discard(active).catch(() => undefined);
      throw error;
    }
  }

  async #work(step: ChangingStep, place: Workplace, signal: AbortSignal): Promise<Taken> {
    const { workshop } = this.#options;
    switch (step.kind) {
      case 'workdir':
        await workshop.run({ kind: 'workdir', place, path: step.path, user: step.user }, { signal });
        return {};
      case 'copy':
        return this.#copy(step, place, signal);
      case 'run':
        return this.#run(step, place, signal);
    }
  }

  async #copy(step: CopyStep, place: Workplace, signal: AbortSignal): Promise<Taken> {
    const { digest, named } = await this.#options.workshop.run(
      {
        kind: 'copy',
        place,
        selection: await this.#keys.selectionOf(step, signal),
        destination: step.destination,
        owner: step.owner,
        mode: step.mode,
        link: step.link,
        unpack: step.unpack,
      },
      { signal },
    );
    return { sources: digest, named };
  }

  async #run(step: RunStep, place: Workplace, signal: AbortSignal): Promise<Taken> {
    const { workshop } = this.#options;
    using around = await this.#conditions.enter(step);
    await using prepared = await this.#prepare(step, place, around, signal);
    const { job, failure, onOutput } = prepared;
    const end = await workshop.run(job, { signal, onOutput, shown: this.#options.shown });
    if (end.exitCode !== 0) throw failure(end);
    return { mounts: end.shown };
  }

  async #prepare(
    step: RunStep,
    place: Workplace,
    around: RunPlace,
    signal = this.signal ?? new AbortController().signal,
  ): Promise<PreparedRun> {
    const { epoch, request, workshop, onEvent } = this.#options;
    const digests = await this.#keys.mountDigests(step, { signal });
    return prepareRun(step, place, { ...around, offer: this, epoch, request, workshop, digests, onEvent, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#failed[Symbol.asyncDispose]();
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
