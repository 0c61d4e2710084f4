import { chooseIsolation, type IsolationReport } from '../container/index.ts';
import {
  type CopyStep,
  decodeText,
  excerpt,
  type RunStep,
  type Step,
  type StepGraph,
  type StepId,
  type WorkdirStep,
} from '../dockerfile/index.ts';
import { isSlipwayError } from '../errors.ts';
import { chainIdOf, chainIdOfAll, type Digest } from '../oci/index.ts';
import type { Store } from '../store/index.ts';
import type { CacheLookup } from './cache/build-cache.ts';
import { type CacheKey, copyKey, runKey, workdirKey } from './cache-key.ts';
import type { OpenContext } from './context.ts';
import type { OnBuildEvent } from './events.ts';
import type { ResolvedImage } from './images/resolve.ts';
import type { Selection, SourceRef, Workplace } from './jobs.ts';
import type { Lane } from './lane.ts';
import type { DraftLayer } from '../layer/index.ts';
import type { BuildRequest } from './request.ts';
import { prepareRun } from './run-step.ts';
import { factKeyOf, openSources, treeOf, type TreeOffer } from './trees.ts';
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
  readonly request: BuildRequest;
  readonly context: OpenContext;
  readonly folders: TreeOffer['folders'];
  imageOf(step: Step & { kind: 'image' }): ResolvedImage;
  readonly onEvent: OnBuildEvent;
  readonly shown: (() => Promise<void> | undefined) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Does the steps of a graph in order, or finds them done: each one container or copy, then one commit (DESIGN idea 3). */
export async function solve(graph: StepGraph, options: SolveOptions): Promise<ReadonlyMap<StepId, StepResult>> {
  const solver = new Solver(options);
  for (const step of graph.steps) await solver.step(step);
  return solver.results;
}

class Solver implements TreeOffer {
  readonly results = new Map<StepId, StepResult>();
  readonly #options: SolveOptions;
  /** Downloads and inline documents are fetched once, for the key and for the copy. */
  readonly #sources = new Map<StepId, Promise<readonly SourceRef[]>>();
  /**
   * Content digests of what several steps select alike. Forgotten when a step is done in earnest: until the next one, files of a
   * context may change, and its layer must not be kept under the digest of what they were.
   */
  readonly #digests = new Map<string, Promise<string>>();
  #isolation: IsolationReport | undefined;

  constructor(options: SolveOptions) {
    this.#options = options;
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
  get folders(): TreeOffer['folders'] {
    return this.#options.folders;
  }
  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  layersOf(step: StepId): readonly Digest[] {
    const result = this.results.get(step);
    if (result === undefined) throw new Error(`step ${step} is used before it is solved`);
    return result.diffIds;
  }

  async step(step: Step): Promise<void> {
    const { onEvent } = this.#options;
    this.signal?.throwIfAborted();
    onEvent({ type: 'step-start', id: step.id, title: step.title, time: Date.now() });
    try {
      const { result, cached } = step.kind === 'image' ? this.#image(step) : await this.#changing(step);
      this.results.set(step.id, result);
      onEvent({ type: 'step-done', id: step.id, cached, time: Date.now() });
    } catch (error) {
      onEvent({
        type: 'step-error',
        id: step.id,
        message: error instanceof Error ? error.message : String(error),
        time: Date.now(),
      });
      throw this.#located(error, step);
    }
  }

  /** Shows which lines of the Dockerfile an error is about. */
  #located(error: unknown, step: Step): unknown {
    if (!isSlipwayError(error) || step.location === undefined) return error;
    const { name, text } = this.#options.context.dockerfile;
    const lines = excerpt(decodeText(text), step.location, { name });
    return Object.assign(error, { details: [...error.details, ...lines] });
  }

  #image(step: Step & { kind: 'image' }): { result: StepResult; cached: boolean } {
    const { config } = this.#options.imageOf(step);
    return { result: { diffIds: config.diffIds, created: config.created }, cached: false };
  }

  async #changing(step: RunStep | CopyStep | WorkdirStep): Promise<{ result: StepResult; cached: boolean }> {
    const below = step.input === undefined ? [] : this.layersOf(step.input);
    const parent = chainIdOfAll(below);
    const key = await this.#keyOf(step, parent);
    const known = this.#options.request.noCache ? undefined : this.#lookup(key, parent);
    if (known !== undefined)
      return { result: { diffIds: [...below, known.diffId], created: known.created }, cached: true };
    await this.store.unpack(below, { signal: this.signal, onProgress: (event) => this.#unpacking(step.id, event) });
    const draft = await this.#perform(step, parent);
    const created = new Date().toISOString();
    this.#options.cache.put({ key: key.key, parts: key.parts, diffId: draft.diffId, parent });
    this.#options.cache.putFact('created', key.key, created);
    return { result: { diffIds: [...below, draft.diffId], created }, cached: false };
  }

  #unpacking(id: StepId, event: { readonly diffId: Digest; readonly bytes: number; readonly total: number }): void {
    this.#options.onEvent({
      type: 'step-progress',
      id,
      label: `unpack ${event.diffId.slice(7, 19)}`,
      current: event.bytes,
      total: event.total,
    });
  }

  /** A record counts only while its layer is still to be had on this parent. */
  #lookup(key: CacheKey, parent: Digest | undefined): { diffId: Digest; created: string | undefined } | undefined {
    const record = this.#options.cache.get(key.key);
    if (record === undefined) return undefined;
    const usable = record.parent === parent || this.store.snapshots.has(chainIdOf(parent, record.diffId));
    return usable ? { diffId: record.diffId, created: this.#options.cache.fact('created', key.key) } : undefined;
  }

  async #keyOf(step: RunStep | CopyStep | WorkdirStep, parent: Digest | undefined): Promise<CacheKey> {
    if (step.kind === 'workdir') return workdirKey(step, parent);
    if (step.kind === 'copy') return copyKey(step, parent, await this.#sourcesDigest(step));
    const mounts: Record<string, string> = {};
    for (const mount of step.mounts) {
      if (mount.type === 'bind') mounts[mount.target] = await this.#bindDigest(mount);
    }
    const { network } = this.#options.request;
    const isOther = step.network === 'default' && network === 'none';
    return runKey(isOther ? { ...step, network } : step, parent, mounts);
  }

  async #bindDigest(mount: RunStep['mounts'][number] & { type: 'bind' }): Promise<string> {
    const tree = treeOf(mount.from, this);
    if (tree.chainId !== undefined) return `${tree.chainId} ${mount.source}`;
    const source = { kind: 'tree', tree: await tree.open(), pattern: mount.source } as const;
    return this.#options.workshop.run(
      { kind: 'digest', selection: { sources: [source], parents: false, exclude: [] }, scratch: '' },
      { signal: this.signal },
    );
  }

  /** The content digest of what COPY selects; a stored fact where the sources are snapshots. */
  async #sourcesDigest(step: CopyStep): Promise<string> {
    const fact = factKeyOf(step, this);
    const known = fact === undefined ? undefined : this.#options.cache.fact('selection', fact);
    if (known !== undefined) return known;
    const sources = await this.#openSources(step);
    const selection: Selection = { sources, parents: step.parents, exclude: step.exclude };
    const text = JSON.stringify(selection);
    const begun = this.#digests.get(text) ?? this.#digestOf(selection);
    this.#digests.set(text, begun);
    const digest = await begun;
    if (fact !== undefined) this.#options.cache.putFact('selection', fact, digest);
    return digest;
  }

  async #digestOf(selection: Selection): Promise<string> {
    const mounted = selection.sources.some((source) => source.kind === 'tree' && source.tree.root.kind === 'overlay');
    const scratch = mounted ? await this.lane.scratch() : '';
    return this.#options.workshop.run({ kind: 'digest', selection, scratch }, { signal: this.signal });
  }

  #openSources(step: CopyStep): Promise<readonly SourceRef[]> {
    const opened = this.#sources.get(step.id) ?? openSources(step, this);
    this.#sources.set(step.id, opened);
    return opened;
  }

  /** Prepares a snapshot, has the workshop change it, and commits it. */
  async #perform(step: RunStep | CopyStep | WorkdirStep, parent: Digest | undefined): Promise<DraftLayer> {
    this.#digests.clear();
    const scratch = await this.lane.scratch();
    const active = await this.store.snapshots.prepare(parent);
    try {
      await this.#work(step, { active, scratch });
      const draft = await this.store.snapshots.diff(active, { signal: this.signal });
      await this.store.snapshots.commit(active, draft);
      return draft;
    } catch (error) {
      // What cannot be cleared away now is the next command's; the reason is what the user needs.
      await this.store.snapshots.discard(active).catch(() => undefined);
      throw error;
    }
  }

  async #work(step: RunStep | CopyStep | WorkdirStep, place: Workplace): Promise<unknown> {
    const { workshop } = this.#options;
    switch (step.kind) {
      case 'workdir':
        return workshop.run({ kind: 'workdir', place, path: step.path, user: step.user }, { signal: this.signal });
      case 'copy':
        return workshop.run(
          {
            kind: 'copy',
            place,
            selection: { sources: await this.#openSources(step), parents: step.parents, exclude: step.exclude },
            destination: step.destination,
            owner: step.owner,
            mode: step.mode,
            link: step.link,
            unpack: step.unpack,
          },
          { signal: this.signal },
        );
      case 'run':
        return this.#run(step, place);
    }
  }

  async #run(step: RunStep, place: Workplace): Promise<void> {
    const { workshop, onEvent, request } = this.#options;
    const isolation = (this.#isolation ??= this.#stateIsolation());
    const { job, failure, onOutput } = await prepareRun(step, place, {
      offer: this,
      isolation: isolation.isolation,
      request,
      onEvent,
    });
    const { exitCode } = await workshop.run(job, { signal: this.signal, onOutput, shown: this.#options.shown });
    if (exitCode !== 0) throw failure(exitCode);
  }

  #stateIsolation(): IsolationReport {
    const report = chooseIsolation(this.#options.request.isolation, this.store.privileges);
    const network = this.#options.request.network;
    this.#options.onEvent({
      type: 'note',
      level: 'info',
      message: `RUN steps are isolated by ${report.description}, network: ${network}`,
    });
    for (const message of report.missing) this.#options.onEvent({ type: 'note', level: 'warning', message });
    return report;
  }
}
