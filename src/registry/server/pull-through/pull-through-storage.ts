import { Readable } from 'node:stream';
import { messageOf } from '../../../errors.ts';
import {
  type CallOptions,
  type Descriptor,
  type Digest,
  parseManifestOrIndex,
  referrerOf,
  type ResolveOptions,
} from '../../../oci/index.ts';
import type { RepositoryTarget } from '../../client/repository-target.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { RegistryStorage, RepositoryStorage, StoredBlob, StoredManifest } from '../storage/storage.ts';
import { Download } from './download.ts';
import { asProtocolError, isOutOfReach, saysMissing } from './upstream-failure.ts';

/** What is asked of a repository of the upstream. */
export type UpstreamRepository = Pick<
  RepositoryTarget,
  'resolve' | 'fetch' | 'describeBlob' | 'listTags' | 'referrers'
>;

export interface PullThroughOptions {
  /** Where what has come through is kept. */
  readonly local: RegistryStorage;
  /** The upstream as people call it. */
  readonly host: string;
  readonly open: (repository: string) => Promise<UpstreamRepository>;
  /** Milliseconds for which a tag is believed before the upstream is asked again; a minute unless given. */
  readonly tagLife?: number | undefined;
  /** Milliseconds that the upstream gets to say where a tag points that is here too; 5,000 unless given. */
  readonly patience?: number | undefined;
  /** Milliseconds for which an upstream that gave no answer is not asked about what is here; 30,000 unless given. */
  readonly rest?: number | undefined;
  readonly now?: (() => number) | undefined;
  /** Hears of failures of the upstream. */
  readonly onError?: ((message: string) => void) | undefined;
}

const mostTagsKnown = 100_000;

/**
 * A storage that has all that its upstream has: what is not here is fetched when it is asked for, verified, and kept.
 * Content under a digest is asked for once; where a tag points is asked for again when it is old, by HEAD, and what is
 * here is served while the upstream cannot be reached.
 */
export function pullThroughStorage(options: PullThroughOptions): RegistryStorage {
  const shared = new SharedWork(options);
  return {
    description: `${options.local.description}, for what ${options.host} has`,
    repositories: () => options.local.repositories(),
    repository: (name) => new PullThroughRepository(name, shared),
    holds: (digest) => options.local.holds(digest),
    startUpload: (place) => options.local.startUpload(place),
    findUpload: (place) => options.local.findUpload(place),
    dropUploads: (idle) => options.local.dropUploads(idle),
    usage: () => options.local.usage(),
    settle: async () => {
      await Promise.all([...shared.downloads.values()].map((download) => download.then(({ ended }) => ended)));
      await options.local.settle();
    },
  };
}

/** What all repositories of one upstream have in common. */
class SharedWork {
  readonly options: PullThroughOptions;
  readonly downloads = new Map<string, Promise<Download>>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #checked = new Map<string, number>();
  #restsUntil = 0;

  constructor(options: PullThroughOptions) {
    this.options = options;
  }

  get now(): number {
    return (this.options.now ?? Date.now)();
  }

  get isResting(): boolean {
    return this.now < this.#restsUntil;
  }

  isFresh(tag: string): boolean {
    const { tagLife = 60_000 } = this.options;
    return (this.#checked.get(tag) ?? 0) + tagLife > this.now;
  }

  noteChecked(tag: string): void {
    if (this.#checked.size >= mostTagsKnown) this.#checked.clear();
    this.#checked.set(tag, this.now);
  }

  noteFailure(error: unknown): void {
    this.options.onError?.(`${this.options.host}: ${messageOf(error)}`);
    if (isOutOfReach(error)) this.#restsUntil = this.now + (this.options.rest ?? 30_000);
  }

  /** Who asks for the same while it is under way gets the same answer. */
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const started = work().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}

class PullThroughRepository implements RepositoryStorage {
  readonly #name: string;
  readonly #shared: SharedWork;
  readonly #local: RepositoryStorage;

  constructor(name: string, shared: SharedWork) {
    this.#name = name;
    this.#shared = shared;
    this.#local = shared.options.local.repository(name);
  }

  /** Lists of tags say whether there is one. */
  async exists(): Promise<boolean> {
    return true;
  }

  async blob(digest: Digest): Promise<StoredBlob | undefined> {
    const running = await this.#shared.downloads.get(this.#key(digest))?.catch(() => undefined);
    if (running !== undefined) return running;
    const known = await this.#local.blob(digest);
    if (known !== undefined) return known;
    const descriptor = await this.#ask((upstream) => upstream.describeBlob(digest));
    if (descriptor === undefined) return undefined;
    return {
      size: descriptor.size,
      read: (start, end) => Readable.from(this.#read(descriptor, start, end), { objectMode: false }),
    };
  }

  /** Since the blob was asked about, another request may have brought it. */
  async *#read(descriptor: Descriptor, start: number, end: number): AsyncGenerator<Buffer> {
    const known = await this.#local.blob(descriptor.digest);
    const content = known ?? (await this.#download(descriptor));
    yield* content.read(start, end) as AsyncIterable<Buffer>;
  }

  #key(digest: Digest): string {
    return `${this.#name}@${digest}`;
  }

  #download(descriptor: Descriptor): Promise<Download> {
    const { downloads, options } = this.#shared;
    const key = this.#key(descriptor.digest);
    const running = downloads.get(key);
    if (running !== undefined) return running;
    const start = async (): Promise<Download> => {
      const upstream = await options.open(this.#name);
      const open = () => upstream.fetch(descriptor);
      const download = new Download({ storage: options.local, name: this.#name, descriptor, open });
      void download.ended.then(() => downloads.delete(key));
      return download;
    };
    const started = start();
    downloads.set(key, started);
    started.catch(() => downloads.delete(key));
    return started;
  }

  async manifest(digest: Digest): Promise<StoredManifest | undefined> {
    const known = await this.#local.manifest(digest);
    if (known !== undefined) return known;
    return this.#shared.once(this.#key(digest), () =>
      this.#ask(async (upstream) => this.#keep(upstream, await upstream.resolve(digest, { reads: true }))),
    );
  }

  async #keep(upstream: UpstreamRepository, descriptor: Descriptor): Promise<StoredManifest> {
    const chunks = await (await upstream.fetch(descriptor)).toArray();
    const content = Buffer.concat(chunks as Buffer[]);
    const referrer = referrerOf(descriptor, parseManifestOrIndex(content, descriptor.mediaType));
    const stored: StoredManifest = { mediaType: descriptor.mediaType, content, referrer };
    await this.#local.putManifest(descriptor.digest, stored);
    return stored;
  }

  async tag(tag: string): Promise<Digest | undefined> {
    const known = await this.#local.tag(tag);
    const key = `${this.#name}:${tag}`;
    if (known !== undefined && (this.#shared.isFresh(key) || this.#shared.isResting)) return known;
    return this.#shared.once(key, () => this.#askForTag(tag, known));
  }

  async #askForTag(tag: string, known: Digest | undefined): Promise<Digest | undefined> {
    const { patience = 5000, host } = this.#shared.options;
    const options: ResolveOptions = known === undefined ? { reads: true } : { signal: AbortSignal.timeout(patience) };
    try {
      const upstream = await this.#shared.options.open(this.#name);
      const descriptor = await upstream.resolve(tag, options);
      if (descriptor.digest !== known || !(await this.#local.hasManifest(known))) {
        if (!(await this.#local.hasManifest(descriptor.digest))) await this.#keep(upstream, descriptor);
        await this.#local.putTag(tag, descriptor.digest);
      }
      this.#shared.noteChecked(`${this.#name}:${tag}`);
      return descriptor.digest;
    } catch (error) {
      if (saysMissing(error)) {
        if (known !== undefined) await this.#local.deleteTag(tag);
        return undefined;
      }
      this.#shared.noteFailure(error);
      if (known !== undefined && isOutOfReach(error)) return known;
      throw asProtocolError(error, host);
    }
  }

  async tags(): Promise<readonly string[]> {
    const local = await this.#local.tags();
    if (local.length > 0 && this.#shared.isResting) return local;
    const listed = await this.#ask((upstream) => upstream.listTags(), local);
    if (listed !== undefined) return [...new Set(listed)].sort();
    throw new ProtocolError('NAME_UNKNOWN', `there is no repository ${this.#name}`, { detail: { name: this.#name } });
  }

  async referrers(subject: Digest): Promise<readonly Descriptor[]> {
    const local = await this.#local.referrers(subject);
    if (this.#shared.isResting) return local;
    return (await this.#ask((upstream) => upstream.referrers(subject), local)) ?? [];
  }

  /**
   * Undefined where the upstream has no such thing; `otherwise` where it cannot be reached and that is something.
   * @throws ProtocolError
   */
  async #ask<T extends object>(
    question: (upstream: UpstreamRepository, options?: CallOptions) => Promise<T>,
    otherwise?: T & { readonly length?: number },
  ): Promise<T | undefined> {
    const { options } = this.#shared;
    try {
      return await question(await options.open(this.#name));
    } catch (error) {
      if (saysMissing(error)) return undefined;
      this.#shared.noteFailure(error);
      if (otherwise !== undefined && otherwise.length !== 0 && isOutOfReach(error)) return otherwise;
      throw asProtocolError(error, options.host);
    }
  }

  hasManifest(digest: Digest): Promise<boolean> {
    return this.#local.hasManifest(digest);
  }

  keep(digest: Digest): Promise<void> {
    return this.#local.keep(digest);
  }

  usage(): Promise<number> {
    return this.#local.usage();
  }

  commitBlob(): Promise<never> {
    return refuse();
  }

  mountBlob(): Promise<never> {
    return refuse();
  }

  deleteBlob(): Promise<never> {
    return refuse();
  }

  putManifest(): Promise<never> {
    return refuse();
  }

  deleteManifest(): Promise<never> {
    return refuse();
  }

  putTag(): Promise<never> {
    return refuse();
  }

  deleteTag(): Promise<never> {
    return refuse();
  }
}

/** The rules refuse it before; this is for who forgets them. */
async function refuse(): Promise<never> {
  throw new ProtocolError('UNSUPPORTED', 'this registry only passes on what another one has');
}
