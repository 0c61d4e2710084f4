import type { CopyStep, RunStep, Step } from '../../dockerfile/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { CacheLookup } from '../cache/build-cache.ts';
import { type CacheKey, copyKey, runKey, workdirKey } from '../cache-key.ts';
import { hostNames } from '../confinement.ts';
import type { Selection, SourceRef } from '../jobs.ts';
import type { BuildRequest } from '../request.ts';
import { factKeyOf, openSources, treeOf, type TreeOffer } from '../trees.ts';
import type { Workshop } from '../workshop.ts';

/** A step that makes a layer. */
export type ChangingStep = Exclude<Step, { kind: 'image' }>;

export interface StepKeysOptions {
  readonly offer: TreeOffer;
  readonly cache: CacheLookup;
  readonly workshop: Workshop;
  readonly request: Pick<BuildRequest, 'network' | 'confinement'>;
}

/** Cache keys of steps, and what they cost: sources are opened and read once, for the key and for the copy. */
export class StepKeys {
  readonly #options: StepKeysOptions;
  /** Downloads and inline documents are fetched once. */
  readonly #sources = new Map<CopyStep, Promise<readonly SourceRef[]>>();
  /**
   * Content digests of what several steps select alike. Forgotten when a step is done in earnest: until the next one, files of a
   * context may change, and its layer must not be kept under the digest of what they were.
   */
  readonly #digests = new Map<string, Promise<string>>();

  constructor(options: StepKeysOptions) {
    this.#options = options;
  }

  async keyOf(step: ChangingStep, parent: Digest | undefined, signal: AbortSignal): Promise<CacheKey> {
    switch (step.kind) {
      case 'workdir':
        return workdirKey(step, parent);
      case 'copy':
        return copyKey(step, parent, await this.#sourcesDigest(step, signal));
      case 'run':
        return this.#runKey(step, parent, signal);
    }
  }

  selectionOf(step: CopyStep): Promise<Selection> {
    return this.#openSources(step).then((sources) => ({ sources, parents: step.parents, exclude: step.exclude }));
  }

  forgetDigests(): void {
    this.#digests.clear();
  }

  async #runKey(step: RunStep, parent: Digest | undefined, signal: AbortSignal): Promise<CacheKey> {
    const mounts: Record<string, string> = {};
    for (const mount of step.mounts) {
      if (mount.type === 'bind') mounts[mount.target] = await this.#bindDigest(mount, signal);
    }
    const { network, confinement } = this.#options.request;
    const isOther = step.network === 'default' && network === 'none';
    return runKey({ ...step, ...(isOther ? { network } : {}), hosts: hostNames(confinement) }, parent, mounts);
  }

  async #bindDigest(mount: RunStep['mounts'][number] & { type: 'bind' }, signal: AbortSignal): Promise<string> {
    const tree = treeOf(mount.from, this.#options.offer);
    if (tree.chainId !== undefined) return `${tree.chainId} ${mount.source}`;
    const source = { kind: 'tree', tree: await tree.open(), pattern: mount.source } as const;
    return this.#options.workshop.run(
      { kind: 'digest', selection: { sources: [source], parents: false, exclude: [] }, scratch: '' },
      { signal },
    );
  }

  /** The content digest of what COPY selects; a stored fact where the sources are snapshots. */
  async #sourcesDigest(step: CopyStep, signal: AbortSignal): Promise<string> {
    const { offer, cache } = this.#options;
    const fact = factKeyOf(step, offer);
    const known = fact === undefined ? undefined : cache.fact('selection', fact);
    if (known !== undefined) return known;
    const selection = await this.selectionOf(step);
    const text = JSON.stringify(selection);
    const begun = this.#digests.get(text) ?? this.#digestOf(selection, signal);
    this.#digests.set(text, begun);
    const digest = await begun;
    if (fact !== undefined) cache.putFact('selection', fact, digest);
    return digest;
  }

  async #digestOf(selection: Selection, signal: AbortSignal): Promise<string> {
    const { offer, workshop } = this.#options;
    const mounted = selection.sources.some((source) => source.kind === 'tree' && source.tree.root.kind === 'overlay');
    const scratch = mounted ? await offer.lane.scratch() : '';
    return workshop.run({ kind: 'digest', selection, scratch }, { signal });
  }

  #openSources(step: CopyStep): Promise<readonly SourceRef[]> {
    const opened = this.#sources.get(step) ?? openSources(step, this.#options.offer);
    this.#sources.set(step, opened);
    return opened;
  }
}
