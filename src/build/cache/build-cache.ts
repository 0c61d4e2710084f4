import { chainIdOf, type Digest, shortId } from '../../oci/index.ts';
import type { CacheRecord, CacheRecords, Store } from '../../store/index.ts';
import type { BuildNote } from '../events.ts';
import { factName, type ImportedCache, type ImportedRecord } from './imported.ts';

/** Where the solver asks for finished steps and facts, and leaves its own. */
export interface CacheLookup extends Omit<CacheRecords, 'claim'> {
  /** Makes records of layers that cannot be had, or are not what was said, count no more. Returns those that were in use. */
  reject(diffIds: readonly Digest[]): readonly Digest[];
  /** What to tell of a cached layer that is lost; before it is rejected. */
  noteOf(loss: LayerLoss): BuildNote;
}

type LookupOptions = NonNullable<Parameters<CacheRecords['get']>[1]>;

/** A layer that a record promised and that cannot be had, or is another one. */
export interface LayerLoss {
  readonly diffId: Digest;
  readonly why: string;
}

export interface UsedFact {
  readonly kind: string;
  readonly key: string;
  readonly value: string;
}

/** Kinds of facts that travel with a cache; others (such as stats of this machine's files) mean nothing elsewhere. */
const travelling = new Set(['created', 'duration', 'selection']);

/**
 * The cache of one build: the store's records first, then those of imported caches, which are never written into the store, so
 * that a build that does not name such a cache does not trust it either. Remembers what the build used, for exports.
 */
export class BuildCache implements CacheLookup {
  readonly #store: Store;
  readonly #imports: ImportedCache[] = [];
  readonly #used = new Map<Digest, CacheRecord>();
  readonly #usedFacts = new Map<string, UsedFact>();
  /** Layers that could not be had, or were not what their record says. */
  readonly #rejected = new Set<Digest>();
  /** Imported layers that hits relied on, with who offers them. */
  readonly #relied = new Map<Digest, ReliedLayer>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Adds caches from elsewhere, the ones to ask first first. */
  import(caches: readonly ImportedCache[]): void {
    this.#imports.push(...caches);
  }

  get(key: Digest, options: LookupOptions = {}): CacheRecord | undefined {
    const withoutLayer = options.withoutLayer === true ? () => this.#localWithoutLayer(key) : () => undefined;
    const found = this.#local(key, {}) ?? withoutLayer() ?? this.#imported(key, options);
    if (found !== undefined) this.#used.set(key, found);
    return found;
  }

  put(record: CacheRecord): void {
    this.#store.cache.put(record);
    this.#used.set(record.key, record);
    // It was made here now, whatever others claimed of it.
    this.#rejected.delete(record.diffId);
    this.#relied.delete(record.diffId);
  }

  /** What the build used or said itself before others: a second build in the store may say another thing meanwhile. */
  fact(kind: string, key: string): string | undefined {
    const used = this.#usedFacts.get(factName(kind, key));
    if (used !== undefined) return used.value;
    const value = this.#store.cache.fact(kind, key) ?? this.#importedFact(kind, key);
    if (value !== undefined) this.#use(kind, key, value);
    return value;
  }

  putFact(kind: string, key: string, value: string): void {
    this.#store.cache.putFact(kind, key, value);
    this.#use(kind, key, value);
  }

  /** Records that the build used or made, by key. */
  get used(): ReadonlyMap<Digest, CacheRecord> {
    return this.#used;
  }

  get usedFacts(): Iterable<UsedFact> {
    return this.#usedFacts.values();
  }

  /** Imported layers that the build relies on. */
  get relied(): ReadonlyMap<Digest, ReliedLayer> {
    return this.#relied;
  }

  /**
   * Makes records of these layers count no more, since they cannot be had or are not what was said. Returns those that a hit
   * of this build relied on: with none, solving again would fail the same way. What lies on such a layer goes with it where no
   * cache has its layer either: that would be lost next.
   */
  reject(diffIds: readonly Digest[]): readonly Digest[] {
    const used = [...this.#used.values()];
    const fresh = diffIds.filter((each) => !this.#rejected.has(each) && used.some(({ diffId }) => diffId === each));
    const lost = used.filter(({ diffId }) => fresh.includes(diffId));
    for (let below = lost.pop(); below !== undefined; below = lost.pop()) {
      const chain = chainIdOf(below.parent, below.diffId);
      this.#forget(below);
      lost.push(...used.filter(({ parent, diffId }) => parent === chain && this.#isWithoutBlob(diffId)));
    }
    return fresh;
  }

  noteOf({ diffId, why }: LayerLoss): BuildNote {
    const relied = this.#relied.get(diffId);
    if (relied !== undefined && relied.blob === undefined) {
      const message = `the cache ${relied.label} does not have the layers of some steps that are needed now: they are done here`;
      return { type: 'note', level: 'info', message };
    }
    const of = relied === undefined ? '' : ` of the cache ${relied.label}`;
    const message = `layer ${shortId(diffId)}${of} cannot be had, so its step is done again: ${why}`;
    return { type: 'note', level: 'warning', message };
  }

  #forget({ key, diffId }: CacheRecord): void {
    this.#rejected.add(diffId);
    this.#relied.delete(diffId);
    this.#used.delete(key);
  }

  #isWithoutBlob(diffId: Digest): boolean {
    const relied = this.#relied.get(diffId);
    return relied !== undefined && relied.blob === undefined;
  }

  #local(key: Digest, options: LookupOptions): CacheRecord | undefined {
    const record = this.#store.cache.get(key, options);
    return record === undefined || this.#rejected.has(record.diffId) ? undefined : record;
  }

  /** What a step gave here, of which the layer is gone; an imported cache may have that layer. */
  #localWithoutLayer(key: Digest): CacheRecord | undefined {
    const record = this.#local(key, { withoutLayer: true });
    if (record === undefined) return undefined;
    for (const cache of this.#imports) {
      const imported = cache.records.get(key);
      if (imported?.blob !== undefined && imported.diffId === record.diffId) this.#rely(imported, cache);
    }
    return record;
  }

  /** A record that only tells what the layer was is one where that is enough, and none has the layer. */
  #imported(key: Digest, { withoutLayer = false }: LookupOptions): CacheRecord | undefined {
    const found = this.#imports.flatMap((cache) => {
      const record = cache.records.get(key);
      return record === undefined || this.#rejected.has(record.diffId) ? [] : { record, cache };
    });
    const best = found.find(({ record }) => record.blob !== undefined) ?? (withoutLayer ? found[0] : undefined);
    if (best === undefined) return undefined;
    this.#rely(best.record, best.cache);
    const { parts, diffId, parent, duration } = best.record;
    return { key, parts, diffId, parent, duration };
  }

  /** The layer is now one that can be had; its bytes come when somebody reads them. */
  #rely(record: ImportedRecord, { source, label }: ImportedCache): void {
    const { diffId, blob } = record;
    if (this.#relied.has(diffId)) return;
    if (blob !== undefined) this.#store.adoptLayer(diffId, blob, source);
    this.#relied.set(diffId, { diffId, blob, source, label });
  }

  #importedFact(kind: string, key: string): string | undefined {
    if (!travelling.has(kind)) return undefined; // whatever a cache claims to know of this machine or of others' servers
    const name = factName(kind, key);
    for (const { facts } of this.#imports) {
      const value = facts.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #use(kind: string, key: string, value: string): void {
    if (travelling.has(kind)) this.#usedFacts.set(factName(kind, key), { kind, key, value });
  }
}

/** A layer that a hit on an imported record brought into the build. */
export interface ReliedLayer {
  readonly diffId: Digest;
  readonly blob: ImportedRecord['blob'];
  readonly source: string;
  readonly label: string;
}
