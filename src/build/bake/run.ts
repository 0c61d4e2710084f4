import { availableParallelism } from 'node:os';
import { isSlipwayError, messageOf } from '../../errors.ts';
import { type Digest, digestOf, Semaphore, serializeConfig } from '../../oci/index.ts';
import type { Store } from '../../store/index.ts';
import { build, type BuildOptions, type BuildResult } from '../build.ts';
import { BuildError } from '../error.ts';
import type { BuildRequest } from '../request.ts';
import { parallelismOf, Workshop } from '../workshop/workshop.ts';
import { TargetEvents } from './target-events.ts';

/** One target to be built. */
export interface BakeJob {
  readonly name: string;
  readonly request: BuildRequest;
  /** Contexts of the request that other targets' results stand in for: the context's name, and the target. */
  readonly needs: Readonly<Record<string, string>>;
  /** Done instead of building it, when what it stands on is there. */
  readonly ask?: (request: BuildRequest, options: BuildOptions) => Promise<void>;
}

/** Results by the name of the target; none for targets that were only asked about. */
export type BakeResults = ReadonlyMap<string, BuildResult>;

/**
 * Builds targets side by side, those first that others stand on. They share the store and the workshop, so a step that several
 * of them have is done once. The failure of one ends the others.
 * @throws the first failure, its message naming the target; others that failed for themselves are in its details
 */
export async function bake(jobs: readonly BakeJob[], options: BuildOptions): Promise<BakeResults> {
  await using stack = new AsyncDisposableStack();
  const most = jobs.reduce((found, { request }) => Math.max(found, request.maxParallelism ?? 0), 0);
  const workshop =
    options.workshop ?? stack.use(new Workshop(options.store.privileges, parallelismOf(most === 0 ? undefined : most)));
  const oven = new Oven(jobs, { ...options, workshop });
  try {
    return await oven.run();
  } finally {
    oven.forgetHandedOver();
  }
}

class Oven {
  readonly #jobs: ReadonlyMap<string, BakeJob>;
  readonly #options: BuildOptions;
  readonly #events: TargetEvents;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #slots = new Semaphore(Math.max(4, 2 * availableParallelism()));
  readonly #begun = new Map<string, Promise<BuildResult>>();
  readonly #failures: { readonly target: string; readonly error: unknown }[] = [];
  /** Images that only this run needs, as contexts of other targets. */
  readonly #handedOver = new Set<Digest>();

  constructor(jobs: readonly BakeJob[], options: BuildOptions) {
    this.#jobs = new Map(jobs.map((job) => [job.name, job]));
    this.#options = options;
    this.#events = new TargetEvents(options.onEvent, jobs.length);
    const { signal } = options;
    this.#signal = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
  }

  async run(): Promise<BakeResults> {
    const names = [...this.#jobs.keys()];
    const results = new Map<string, BuildResult>();
    const settled = await Promise.allSettled(
      names.map(async (name) => {
        const result = await this.#outcome(name);
        if (result !== undefined) results.set(name, result);
      }),
    );
    const rejected = settled.find((each) => each.status === 'rejected');
    if (rejected === undefined) return results;
    this.#options.signal?.throwIfAborted();
    throw this.#failures.length === 0 ? rejected.reason : summed(this.#failures);
  }

  async #outcome(name: string): Promise<BuildResult | undefined> {
    const ask = this.#jobs.get(name)?.ask;
    if (ask === undefined) return this.#result(name);
    await this.#perform(name, ask);
    return undefined;
  }

  #result(name: string): Promise<BuildResult> {
    const begun = this.#begun.get(name) ?? this.#build(name);
    this.#begun.set(name, begun);
    return begun;
  }

  #build(name: string): Promise<BuildResult> {
    return this.#perform(name, (request, options) => build(request, options));
  }

  /** Does something for a target when all that it stands on is built. */
  async #perform<T>(name: string, work: (request: BuildRequest, options: BuildOptions) => Promise<T>): Promise<T> {
    const job = this.#jobs.get(name);
    if (job === undefined) throw new BuildError('BAKE_NOT_FOUND', `failed to find target ${name}`);
    const needed = await Promise.all(
      Object.entries(job.needs).map(async ([context, target]) => [context, await this.#result(target)] as const),
    );
    try {
      return await this.#slots.run(async () => {
        const contexts = { ...job.request.contexts };
        for (const [context, result] of needed) contexts[context] = await this.#handOver(result);
        return work({ ...job.request, contexts }, this.#optionsFor(name));
      }, this.#signal);
    } catch (error) {
      if (!this.#isConsequence(error)) this.#failures.push({ target: name, error });
      this.#stop.abort(error);
      throw error;
    }
  }

  #optionsFor(name: string): BuildOptions {
    return { ...this.#options, onEvent: this.#events.of(name), signal: this.#signal };
  }

  /** Whether a build ended because another did. */
  #isConsequence(error: unknown): boolean {
    if (!this.#signal.aborted) return false;
    if (error === this.#signal.reason) return true;
    if (!(error instanceof Error)) return false;
    return (
      error.name === 'AbortError' ||
      ('code' in error && error.code === 'CANCELLED') ||
      error.cause === this.#signal.reason
    );
  }

  /** The context that a target's result is: its images in the store, one of each platform. */
  async #handOver({ platforms }: BuildResult): Promise<string> {
    const { images } = this.#options.store;
    const ids: Digest[] = [];
    for (const { config } of platforms) {
      const id = digestOf(serializeConfig(config));
      if (images.find(id) === undefined) this.#handedOver.add(id);
      ids.push(await images.create(config, []));
    }
    return `store-image://${ids.join(',')}`;
  }

  forgetHandedOver(): void {
    forget(this.#options.store, this.#handedOver);
  }
}

/** What has a name by now is somebody's. */
function forget({ images }: Store, ids: Iterable<Digest>): void {
  for (const id of ids) if (images.find(id)?.names.length === 0) images.remove(id);
}

/** One error of all, each cause once: targets that share a step fail with it together. */
function summed(failures: readonly { readonly target: string; readonly error: unknown }[]): unknown {
  const [first] = failures;
  if (first === undefined || !isSlipwayError(first.error)) return first?.error;
  const told = new Set([causeOf(first.error)]);
  const others: string[] = [];
  for (const { target, error } of failures.slice(1)) {
    const cause = causeOf(error);
    if (told.has(cause)) continue;
    told.add(cause);
    others.push(`target ${target}: ${messageOf(error)}`, ...(isSlipwayError(error) ? error.details : []));
  }
  const message = `target ${first.target}: ${first.error.message}`;
  return Object.assign(first.error, { message, details: [...first.error.details, ...others] });
}

function causeOf(error: unknown): string {
  return JSON.stringify([messageOf(error), isSlipwayError(error) ? error.details : []]);
}
