import type { CopyOptions } from './copy-options.ts';
import { type Transfer, sendBlob, transferBlob, transferDocument, onSide } from './copy-transfer.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { OciError } from './error.ts';
import { childrenOf, type ImageIndex, type Manifest } from './manifest.ts';
import { isDocumentType, isForeignLayerType, isIndexType } from './media-types.ts';
import { parseManifestOrIndex } from './parse-manifest.ts';
import { fetchBytes } from './read-content.ts';
import { Semaphore } from './semaphore.ts';
import type { Target } from './target.ts';

/** Indexes within indexes that are followed. */
const maxIndexDepth = 3;
/** Referrers copied with one root; more is an attack or a mistake (security.md 2.3: ten thousand referrers). */
const maxReferrers = 1000;
/** Larger configs are asked for before they are sent; bytes. */
const unaskedConfig = 128 * 1024;

/** One run of `copyGraph`: what was begun, and what stops it. */
export class GraphWalk {
  readonly signal: AbortSignal;
  readonly #transfer: Transfer;
  readonly #options: CopyOptions;
  readonly #room: Semaphore;
  readonly #stop = new AbortController();
  /** By kind and digest: a digest that is named twice is copied once, both waiters wait for the same copy. */
  readonly #begun = new Map<string, Promise<void>>();
  readonly #documents = new Map<Digest, Descriptor>();
  #failure: { readonly error: unknown } | undefined;

  constructor(from: Target, to: Target, options: CopyOptions) {
    this.#options = options;
    this.#room = new Semaphore(Math.max(1, options.concurrency ?? from.readsAtOnce ?? 6));
    this.signal = options.signal ? AbortSignal.any([options.signal, this.#stop.signal]) : this.#stop.signal;
    this.#transfer = {
      from,
      to,
      mountFrom: options.mountFrom ?? [from],
      memory: options.memory,
      emit: options.onEvent ?? (() => undefined),
      signal: this.signal,
    };
  }

  /** Runs `work`; if it fails, waits until everything begun has stopped, and rejects with what failed first. */
  async finish<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.signal.throwIfAborted();
      return await work();
    } catch (error) {
      this.#fail(error);
      await Promise.allSettled(this.#begun.values());
      this.#options.signal?.throwIfAborted();
      throw this.#failure?.error ?? error;
    }
  }

  /** The root and all below it, then its names; a destination that can gives it the first one as it stores it. */
  async copyRoot(root: Descriptor): Promise<void> {
    const { to, signal } = this.#transfer;
    const [first, ...others] = this.#options.names ?? [];
    if (first === undefined) return this.copy(root);
    const tag = async (name: string): Promise<void> => {
      await onSide(this.#transfer, 'destination', root, () => to.tag(root, name, { signal }));
    };
    if (to.pushTagged === undefined || !isDocumentType(root.mediaType)) {
      await this.copy(root);
      await tag(first);
    } else if (this.#trusts && (await this.#isNamed(root, first))) {
      this.#documents.set(root.digest, root);
      this.#transfer.emit({ kind: 'skipped', descriptor: root });
    } else await this.#begin(root, () => this.#copyDocument(root, { depth: 0, name: first }));
    for (const name of others) await tag(name);
  }

  get #trusts(): boolean {
    return this.#options.existing !== 'look-inside';
  }

  /** Whether the destination calls it so. That it cannot say is no failure: the push shows what is wrong. */
  async #isNamed(root: Descriptor, name: string): Promise<boolean> {
    const { to, signal } = this.#transfer;
    try {
      return (await to.resolve(name, { signal })).digest === root.digest;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  copy(descriptor: Descriptor, depth = 0): Promise<void> {
    const isDocument = isDocumentType(descriptor.mediaType);
    return this.#begin(descriptor, () =>
      isDocument ? this.#copyDocument(descriptor, { depth }) : this.#copyBlob(descriptor),
    );
  }

  #begin(descriptor: Descriptor, work: () => Promise<void>): Promise<void> {
    const isDocument = isDocumentType(descriptor.mediaType);
    const key = `${isDocument ? 'document' : 'blob'} ${descriptor.digest}`;
    const begun = this.#begun.get(key);
    if (begun !== undefined) return begun;
    const copy = work().catch((error: unknown) => {
      this.#fail(error);
      throw error;
    });
    this.#begun.set(key, copy);
    return copy;
  }

  /**
   * Copies what refers to the documents copied so far, and what refers to that. A list that leads in a circle ends, since
   * each document is asked about once (oras GHSA-298f-872v-2rcx).
   */
  async copyReferrers(): Promise<void> {
    const { from, signal } = this.#transfer;
    let found = 0;
    // A Map's iterator also visits what is added meanwhile.
    for (const subject of this.#documents.values()) {
      const entries = await onSide(this.#transfer, 'source', subject, () =>
        from.referrers(subject.digest, undefined, { signal }),
      );
      const fresh = entries.filter(({ digest }) => !this.#documents.has(digest));
      found += fresh.length;
      if (found > maxReferrers) {
        throw new OciError('TOO_LARGE', `${subject.digest} has more than ${maxReferrers} referrers`);
      }
      await Promise.all(fresh.map((entry) => this.copy(entry)));
    }
  }

  async #copyDocument(descriptor: Descriptor, { depth, name }: { depth: number; name?: string }): Promise<void> {
    this.#documents.set(descriptor.digest, descriptor);
    const level = isIndexType(descriptor.mediaType) ? depth + 1 : depth;
    if (level > maxIndexDepth) {
      throw new OciError(
        'INVALID_MANIFEST',
        `indexes are nested more than ${maxIndexDepth} deep at ${descriptor.digest}`,
      );
    }
    const { from, to, signal, emit } = this.#transfer;
    // the name of an index was asked about, and its manifests will be
    const isAsked = name === undefined || !isIndexType(descriptor.mediaType);
    const exists =
      isAsked &&
      (await this.#inRoom(() =>
        onSide(this.#transfer, 'destination', descriptor, () => to.exists(descriptor, { signal })),
      ));
    if (exists && this.#trusts) {
      if (name !== undefined) await this.#nameExisting(descriptor, name);
      emit({ kind: 'skipped', descriptor });
      return;
    }
    const { bytes, document } = await this.#inRoom(() =>
      onSide(this.#transfer, 'source', descriptor, async () => {
        const content = await fetchBytes(from, descriptor, { signal });
        const document = parseManifestOrIndex(content, descriptor.mediaType);
        return { bytes: content, document };
      }),
    );
    const fresh = exists ? undefined : configOf(document);
    await Promise.all(
      childrenOf(document).map((child) => (child === fresh ? this.#copyConfig(child) : this.copy(child, level))),
    );
    if (exists) emit({ kind: 'skipped', descriptor });
    else await this.#inRoom(() => transferDocument(this.#transfer, descriptor, { bytes, name }));
  }

  async #nameExisting(descriptor: Descriptor, name: string): Promise<void> {
    const { from, to, signal } = this.#transfer;
    const bytes = await onSide(this.#transfer, 'source', descriptor, () => fetchBytes(from, descriptor, { signal }));
    await onSide(this.#transfer, 'destination', descriptor, async () =>
      to.pushTagged?.(descriptor, bytes, { reference: name, signal }),
    );
  }

  /** Where a manifest is not there, nor is its config: to ask a registry costs nearly as much as to send it. */
  #copyConfig(descriptor: Descriptor): Promise<void> {
    const isFree = this.#transfer.to.pushTagged === undefined;
    if (isFree || descriptor.size > unaskedConfig) return this.copy(descriptor);
    return this.#begin(descriptor, () => this.#inRoom(() => sendBlob(this.#transfer, descriptor)));
  }

  async #copyBlob(descriptor: Descriptor): Promise<void> {
    if (isForeignLayerType(descriptor.mediaType) && this.#options.foreignLayers !== 'copy') {
      this.#transfer.emit({ kind: 'omitted', descriptor });
      return;
    }
    await this.#inRoom(() => transferBlob(this.#transfer, descriptor));
  }

  /** Only transfers take room, never waiting for children: else parents could fill it and wait for ever. */
  #inRoom<T>(work: () => Promise<T>): Promise<T> {
    return this.#room.run(work, this.signal);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort();
  }
}

function configOf(document: Manifest | ImageIndex): Descriptor | undefined {
  return document.kind === 'manifest' ? document.config : undefined;
}
