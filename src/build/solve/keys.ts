import { join } from 'node:path';
import type { CopyStep, RunStep, Step, TreeSource } from '../../dockerfile/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { CacheLookup } from '../cache/build-cache.ts';
import { type CacheKey, copyKey, type KeySurroundings, runKey, workdirKey } from './cache-key.ts';
import { hostNames } from '../run/confinement.ts';
import { componentsOf } from '../copy/tree.ts';
import type { MissReason } from '../events.ts';
import type { Selection, SourceRef } from '../workshop/jobs.ts';
import type { BuildRequest } from '../request.ts';
import { bindFactKey, factKeyOf, openSources, treeOf, type TreeOffer } from '../contexts/trees.ts';
import type { ContextReader } from './context-reader.ts';
import { untilAborted } from './until-aborted.ts';
import type { Workshop } from '../workshop/workshop.ts';
import { isContent, reasonsOfListings } from './explain.ts';

/** A step that makes a layer. */
export type ChangingStep = Exclude<Step, { kind: 'image' }>;

export interface StepKeysOptions {
  readonly offer: TreeOffer;
  readonly cache: CacheLookup;
  readonly workshop: Workshop;
  readonly reader: ContextReader;
  readonly request: Pick<BuildRequest, 'network' | 'confinement'>;
  readonly surroundings: KeySurroundings;
}

/** Content digests of what a step took from contexts, told by who read it. */
export interface Taken {
  readonly sources?: string | undefined;
  /** Whether the result depends on what sources are called. */
  readonly named?: boolean | undefined;
  /** By target. */
  readonly mounts?: Readonly<Record<string, string>> | undefined;
}

/** Where it keeps which files a digest stands for. */
const listingFolder = 'listings';

/** Cache keys of steps, and what they cost: sources are opened and read once, for the key and for the copy. */
export class StepKeys {
  readonly #options: StepKeysOptions;
  /** Downloads and inline documents are fetched once. */
  readonly #sources = new Map<CopyStep, Promise<readonly SourceRef[]>>();
  /** What was read of contexts, by its digest; undefined once it is written down. */
  readonly #read = new Map<string, Selection | undefined>();

  constructor(options: StepKeysOptions) {
    this.#options = options;
  }

  /**
   * Begins to read what steps copy from contexts, all at once: it needs no other step, and the thread that reads has the next
   * question before the answer to the last one is used.
   */
  readAhead(steps: readonly Step[], signal: AbortSignal): void {
    for (const step of steps) {
      if (step.kind !== 'copy' || !step.sources.every(isFromContext)) continue;
      this.#sourcesDigest(step, signal).catch(() => undefined); // the step asks again, and is told
    }
  }

  async keyOf(
    step: ChangingStep,
    parent: Digest | undefined,
    { signal, taken = {} }: { readonly signal: AbortSignal; readonly taken?: Taken },
  ): Promise<CacheKey> {
    const { surroundings } = this.#options;
    switch (step.kind) {
      case 'workdir':
        return workdirKey(step, parent, surroundings);
      case 'copy': {
        const sources = taken.sources ?? (await this.#sourcesDigest(step, signal));
        return copyKey(step, parent, { sources, ...surroundings });
      }
      case 'run':
        return this.#runKey(step, parent, { signal, taken });
    }
  }

  /**
   * The key of what a step really did. Files of a context may change while a build runs: a layer must never be kept under the digest
   * of what they were. Steps to come then look again.
   */
  async keyOfDone(
    step: ChangingStep,
    parent: Digest | undefined,
    { key, ...rest }: { readonly key: CacheKey; readonly signal: AbortSignal; readonly taken: Taken },
  ): Promise<CacheKey> {
    const done = await this.keyOf(step, parent, rest);
    if (done.key !== key.key) this.#options.reader.seeAgain();
    return done;
  }

  /** What comes from elsewhere is fetched for all steps at once, so a step that is told to stop only stops waiting for it. */
  async selectionOf(step: CopyStep, signal: AbortSignal): Promise<Selection> {
    const sources = await untilAborted(this.#openSources(step), signal);
    return { sources, parents: step.parents, exclude: step.exclude };
  }

  /** Trees of steps that are solved again may be others, and what failed may succeed. */
  forgetResults(): void {
    this.#options.reader.forget();
    for (const step of this.#sources.keys())
      if (step.sources.some((source) => source.kind === 'path' && source.from.kind === 'step'))
        this.#sources.delete(step);
  }

  /** Content digests of what mounts show, or begin with, by target. */
  async mountDigests(
    step: RunStep,
    { signal, taken = {} }: { readonly signal: AbortSignal; readonly taken?: Taken },
  ): Promise<Record<string, string>> {
    const digests: Record<string, string> = {};
    for (const mount of step.mounts) {
      if ((mount.type !== 'bind' && mount.type !== 'cache') || mount.from === undefined) continue;
      const { from, source = '/', target } = mount;
      digests[target] = taken.mounts?.[target] ?? (await this.#treeDigest(from, source, signal));
    }
    return digests;
  }

  async #runKey(
    step: RunStep,
    parent: Digest | undefined,
    { signal, taken }: { readonly signal: AbortSignal; readonly taken: Taken },
  ): Promise<CacheKey> {
    const mounts = await this.mountDigests(step, { signal, taken });
    const { request, surroundings } = this.#options;
    const { network, confinement } = request;
    const isOther = step.network === 'default' && network === 'none';
    const conditions = { ...(isOther ? { network } : {}), hosts: hostNames(confinement) };
    return runKey({ ...step, ...conditions }, parent, { mounts, ...surroundings });
  }

  async #treeDigest(from: TreeSource, source: string, signal: AbortSignal): Promise<string> {
    const tree = treeOf(from, this.#options.offer);
    // All of an image is what its layers say; reading gigabytes would tell no more.
    if (tree.chainId !== undefined && componentsOf(source).length === 0) return tree.chainId;
    const { identity = tree.chainId } = tree;
    const fact = identity === undefined ? undefined : bindFactKey(identity, source);
    return this.#knownDigest(fact, signal, async () => {
      const ref = { kind: 'tree', tree: await tree.open(), pattern: source } as const;
      return { sources: [ref], parents: false, exclude: [], shown: true };
    });
  }

  /** The content digest of what COPY selects; a stored fact where the sources are snapshots. */
  async #sourcesDigest(step: CopyStep, signal: AbortSignal): Promise<string> {
    const fact = await untilAborted(factKeyOf(step, this.#options.offer), signal);
    return this.#knownDigest(fact, signal, () => this.selectionOf(step, signal));
  }

  async #knownDigest(fact: string | undefined, signal: AbortSignal, select: () => Promise<Selection>): Promise<string> {
    const { cache, reader } = this.#options;
    const known = fact === undefined ? undefined : cache.fact('selection', fact);
    if (known !== undefined) return known;
    const selection = await select();
    const begun = reader.digest(selection, () => this.#digestOf(selection, signal));
    const digest = await untilAborted(begun, signal);
    if (!isMounted(selection) && !this.#read.has(digest)) this.#read.set(digest, selection);
    if (fact !== undefined) cache.putFact('selection', fact, digest);
    return digest;
  }

  async #digestOf(selection: Selection, signal: AbortSignal): Promise<string> {
    const { offer, workshop, reader } = this.#options;
    if (!isMounted(selection)) return reader.read(selection, { signal });
    return workshop.run({ kind: 'digest', selection, scratch: await offer.lane.scratch() }, { signal });
  }

  /** Writes down which files the content digests of a key stand for, so that a later build can tell what changed. */
  async writeListings({ parts }: CacheKey, signal: AbortSignal): Promise<void> {
    for (const part of Object.keys(parts).filter(isContent)) {
      const digest = parts[part] ?? '';
      const selection = this.#read.get(digest);
      if (selection === undefined) continue;
      this.#read.set(digest, undefined);
      await this.#options.reader.read(selection, { signal, listing: this.#listing(digest) });
    }
  }

  /** Which files differ between two content digests; nothing where that was not written down. */
  async compare(before: string, after: string, signal: AbortSignal): Promise<readonly MissReason[]> {
    const [was, now] = [this.#listing(before), this.#listing(after)];
    const difference = await this.#options.workshop.run({ kind: 'compare', before: was, after: now }, { signal });
    return difference === undefined ? [] : reasonsOfListings(difference);
  }

  #listing(digest: string): string {
    return join(this.#options.offer.store.root, listingFolder, digest);
  }

  #openSources(step: CopyStep): Promise<readonly SourceRef[]> {
    const opened = this.#sources.get(step) ?? openSources(step, this.#options.offer);
    this.#sources.set(step, opened);
    return opened;
  }
}

function isFromContext(source: CopyStep['sources'][number]): boolean {
  return source.kind === 'path' && source.from.kind === 'context';
}

/** Whether it is to be read from snapshots. */
function isMounted({ sources }: Selection): boolean {
  return sources.some((source) => source.kind === 'tree' && source.tree.root.kind === 'overlay');
}
