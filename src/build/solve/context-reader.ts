import { join } from 'node:path';
import { Semaphore } from '../../oci/index.ts';
import type { DigestJob, Selection } from '../workshop/jobs.ts';
import type { Lane } from '../workshop/lane.ts';
import type { Workshop } from '../workshop/workshop.ts';

export interface ContextReaderOptions {
  readonly workshop: Workshop;
  readonly lane: Lane;
  /** The store's folder. */
  readonly root: string;
  /** Nothing is believed that an earlier build read. */
  readonly noCache: boolean;
}

/** Where the store keeps digests that are known by stats. */
const statCacheFolder = 'stat-cache';

/** Content digests of what one build selects, each asked for once however many steps select alike. */
export class ContextReader implements Disposable {
  readonly #options: ContextReaderOptions;
  /** A step that finds other files tells so, see `seeAgain`. */
  readonly #digests = new Map<string, Promise<string>>();
  /** Contexts are walked once, in one thread: two would both see all of them. */
  readonly #reading = new Semaphore(1);
  /** Aborted when nobody waits for what is read ahead any more. */
  readonly #ended = new AbortController();
  #generation = 0;

  constructor(options: ContextReaderOptions) {
    this.#options = options;
  }

  /** Folder of digests that are known by stats; undefined where they do not count. */
  get statCache(): string | undefined {
    const { root, noCache } = this.#options;
    return noCache ? undefined : join(root, statCacheFolder);
  }

  /** The digest of a selection that was asked for before, or that `read` finds out. */
  digest(selection: Selection, read: () => Promise<string>): Promise<string> {
    const text = JSON.stringify(selection);
    const begun = this.#digests.get(text) ?? read();
    this.#digests.set(text, begun);
    begun.catch(() => this.#digests.delete(text));
    return begun;
  }

  /** Begins to read what steps will most likely ask for. An error is that of the step, which asks again. */
  readAhead(selection: Selection): void {
    const { signal } = this.#ended;
    this.digest(selection, () => this.read(selection, { signal })).catch(() => undefined);
  }

  /** Reads files of folders, none of them a snapshot's. */
  read(
    selection: Selection,
    { signal, ...more }: { readonly signal: AbortSignal } & Pick<DigestJob, 'listing'>,
  ): Promise<string> {
    const { workshop, lane } = this.#options;
    const { statCache } = this;
    const job = { kind: 'digest', selection, scratch: '', statCache, ...more } as const;
    return this.#reading.run(
      () => workshop.run({ ...job, build: `${lane.id} ${this.#generation}` }, { signal }),
      signal,
    );
  }

  /** Trees of steps that are solved again may be others, and what failed may succeed. */
  forget(): void {
    this.#digests.clear();
  }

  /** Files have changed: from now on what was seen of them counts no more. */
  seeAgain(): void {
    this.#generation += 1;
    this.forget();
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}
