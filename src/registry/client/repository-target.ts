import type { Readable } from 'node:stream';
import { Readable as ReadableStream } from 'node:stream';
import {
  algorithmOf,
  type CallOptions,
  type ContentSource,
  type PushFromOptions,
  type ResolveOptions,
  collect,
  type Descriptor,
  type Digest,
  type FetchOptions,
  isDigest,
  type Target,
  verifyBytes,
} from '../../oci/index.ts';
import { repositoryScope } from '../auth/scope.ts';
import type { Mirror } from '../config/endpoint.ts';
import { RegistryError } from '../error.ts';
import { abandon, discard } from '../http/body.ts';
import { errorFromResponse } from '../http/error-response.ts';
import { call, connect, nameOf, type RegistryOptions, type RepositoryConnection } from './connection.ts';
import { fetchBlob } from './download.ts';
import { openMirrors } from './open-mirrors.ts';
import {
  type FetchedManifest,
  fetchManifest,
  getManifest,
  isManifestLike,
  manifestLimit,
  putManifest,
  resolveManifest,
} from './manifests.ts';
import { describeBlob } from './describe-blob.ts';
import { deleteBlob, deleteManifest, deleteTag } from './deletion.ts';
import { type RateLimit, readRateLimit } from './rate-limit.ts';
import { listReferrers, recordReferrer } from './referrers.ts';
import { listTags } from './tags.ts';
import { type RepositoryName, repositoryName } from './repository-name.ts';
import { pushBlob } from './upload.ts';
import { cancelUpload, sessionOf, type UploadSession } from './upload-session.ts';

/** How a repository is reached. */
export interface RepositoryOptions extends RegistryOptions {
  /** `push` asks for the right to write from the first request on, so that one token is enough; `pull` unless given. */
  readonly access?: 'pull' | 'push' | undefined;
  /** Servers that are asked before the registry itself; none unless given. */
  readonly mirrors?: readonly Mirror[] | undefined;
  /** Longest wait for a mirror that does not answer, milliseconds; 2,000 unless given. */
  readonly mirrorTimeout?: number | undefined;
  /** Which repository of which host a label stands for; what the label says unless given. */
  readonly locate?: ((label: string) => Located | undefined) | undefined;
}

interface Located {
  readonly host: string;
  readonly repository: string;
}

/** Manifests that were just pushed or resolved, kept for the tag or the reading that follows; count. */
const keptManifests = 16;

/**
 * Opens a repository of a registry. Nothing is sent before the first call.
 * @param name a reference, parsed or as text with docker's defaults; its tag and digest do not matter
 * @throws OciError INVALID_REFERENCE
 */
export function openRepository(name: RepositoryName | string, options: RepositoryOptions = {}): RepositoryTarget {
  return new RepositoryTarget(repositoryName(name), options);
}

/** A repository of a registry as a Target (distribution-spec 1.1). */
export class RepositoryTarget implements Target {
  /** The canonical name, wherever its content comes from: what is remembered of a blob must hold when mirrors change. */
  readonly label: string;
  readonly readsAtOnce: number;
  readonly #locate: (label: string) => Located | undefined;
  readonly #connection: RepositoryConnection;
  readonly #known = new Map<Digest, FetchedManifest>();
  /** Uploads that the registry opened where a mount was asked for. */
  readonly #sessions = new Map<Digest, UploadSession>();

  constructor({ registry, repository }: RepositoryName, options: RepositoryOptions) {
    const { access, mirrors, locate = splitLabel } = options;
    this.#connection = {
      ...connect(registry, repository, options),
      actions: access === 'push' ? ['pull', 'push'] : ['pull'],
      mirrors: mirrors === undefined || mirrors.length === 0 ? undefined : openMirrors(mirrors, options),
    };
    this.label = `${registry}/${repository}`;
    this.readsAtOnce = this.#connection.transfers.downloads;
    this.#locate = locate;
  }

  async resolve(reference: string, options: ResolveOptions = {}): Promise<Descriptor> {
    if (options.reads !== true) return resolveManifest(this.#connection, reference, options);
    const manifest = await getManifest(this.#connection, reference, options);
    this.#remember(manifest);
    return manifest.descriptor;
  }

  async fetch(descriptor: Descriptor, options: FetchOptions = {}): Promise<Readable> {
    if (!isManifestLike(descriptor)) return fetchBlob(this.#connection, descriptor, options);
    const known = this.#known.get(descriptor.digest)?.content;
    if (known !== undefined) verifyBytes(descriptor, known);
    const content = known ?? (await fetchManifest(this.#connection, descriptor, options));
    return ReadableStream.from([content.subarray(options.offset ?? 0)], { objectMode: false });
  }

  async exists(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    const path = pathOf(descriptor);
    const head = await call(this.#connection, {
      method: 'HEAD',
      path,
      headers: { accept: descriptor.mediaType },
      signal,
    });
    await discard(head);
    if (head.status === 200 || head.status === 404) return head.status === 200;
    // some refuse HEAD, and the reason of a refusal is in a body, which HEAD has none
    const get = await call(this.#connection, {
      method: 'GET',
      path,
      headers: { accept: descriptor.mediaType },
      signal,
    });
    if (get.status === 200 || get.status === 404) {
      abandon(get.body);
      return get.status === 200;
    }
    if (get.status === 403 && this.#connection.actions.includes('push')) {
      // who may write and not look (ECR): what is really wrong shows in the upload that follows
      await discard(get);
      return false;
    }
    throw await this.#error(get, `look for ${nameOf(this.#connection, descriptor.digest)}`);
  }

  async push(descriptor: Descriptor, content: Readable | Uint8Array, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (!isManifestLike(descriptor)) {
      const session = this.#takeSession(descriptor.digest);
      return pushBlob(this.#connection, { descriptor, content, session }, options);
    }
    refuseLarge(descriptor);
    const bytes =
      content instanceof ReadableStream ? await collect(content, descriptor, options) : Buffer.from(content);
    verifyBytes(descriptor, bytes);
    await this.#putDocument({ descriptor, content: bytes }, { ...options, reference: descriptor.digest });
  }

  async #putDocument(pushed: FetchedManifest, options: CallOptions & { readonly reference: string }): Promise<void> {
    refuseLarge(pushed.descriptor);
    const answer = await putManifest(this.#connection, pushed, options);
    await recordReferrer(this.#connection, { pushed, answer }, options);
    this.#remember(pushed);
  }

  async pushFrom(descriptor: Descriptor, source: ContentSource, options: PushFromOptions = {}): Promise<void> {
    if (isManifestLike(descriptor)) return this.push(descriptor, await source(0), options);
    const session = this.#takeSession(descriptor.digest);
    await pushBlob(this.#connection, { descriptor, content: source, session }, options);
  }

  /** A manifest that is put under its tag is there under its digest too: one request where two would leave it without a name between. */
  async pushTagged(
    descriptor: Descriptor,
    content: Uint8Array,
    { reference, signal }: CallOptions & { readonly reference: string },
  ): Promise<void> {
    if (isDigest(reference)) return this.push(descriptor, content, { signal });
    verifyBytes(descriptor, content);
    // Under a tag a registry keeps a manifest by its sha256: another digest must be told.
    if (algorithmOf(descriptor.digest) !== 'sha256') await this.push(descriptor, content, { signal });
    await this.#putDocument({ descriptor, content: Buffer.from(content) }, { reference, signal });
  }

  async mount(descriptor: Descriptor, from: Target, { signal }: CallOptions = {}): Promise<boolean> {
    const source = isManifestLike(descriptor) ? undefined : this.#sibling(from.label);
    if (source === undefined || source === this.#connection.repository) return false;
    const query = new URLSearchParams({ mount: descriptor.digest, from: source });
    if (descriptor.digest.startsWith('sha512:')) query.set('digest-algorithm', 'sha512');
    try {
      const response = await call(this.#connection, {
        method: 'POST',
        path: `blobs/uploads/?${query.toString()}`,
        body: new Uint8Array(),
        actions: ['push'],
        scopes: [repositoryScope(source, ['pull'])],
        signal,
      });
      await discard(response);
      if (response.status === 202) await this.#keepSession(descriptor.digest, sessionOf(response));
      return response.status === 201;
    } catch {
      // a mount only saves work; what is really wrong shows in the upload that follows
      signal?.throwIfAborted();
      return false;
    }
  }

  async tag(descriptor: Descriptor, reference: string, options: CallOptions = {}): Promise<void> {
    const known = this.#known.get(descriptor.digest);
    const content = known?.content ?? (await fetchManifest(this.#connection, descriptor, options));
    await putManifest(this.#connection, { descriptor, content }, { ...options, reference });
  }

  referrers(digest: Digest, artifactType?: string, options: CallOptions = {}): Promise<readonly Descriptor[]> {
    return listReferrers(this.#connection, digest, { ...options, artifactType });
  }

  /** All tags, in the registry's order. @throws OciError NOT_FOUND where there is no such repository */
  listTags(options: CallOptions = {}): Promise<readonly string[]> {
    return listTags(this.#connection, options);
  }

  /** How many pulls are left, where the registry tells; no pull itself. @throws OciError NOT_FOUND */
  rateLimit(reference: string, options: CallOptions = {}): Promise<RateLimit | undefined> {
    return readRateLimit(this.#connection, reference, options);
  }

  /** What a blob is that is known by its digest alone. @throws OciError NOT_FOUND */
  describeBlob(digest: Digest, options: CallOptions = {}): Promise<Descriptor> {
    return describeBlob(this.#connection, digest, options);
  }

  /** Deletes a tag and nothing else, whatever it takes. @throws OciError NOT_FOUND; RegistryError UNSUPPORTED */
  deleteTag(tag: string, options: CallOptions = {}): Promise<void> {
    return deleteTag(this.#connection, tag, options);
  }

  /** Deletes a manifest with all its tags. Not every registry can. @throws OciError NOT_FOUND; RegistryError UNSUPPORTED */
  deleteManifest(digest: Digest, options: CallOptions = {}): Promise<void> {
    return deleteManifest(this.#connection, digest, options);
  }

  /** Deletes a blob. Not every registry can. @throws OciError NOT_FOUND; RegistryError UNSUPPORTED */
  deleteBlob(digest: Digest, options: CallOptions = {}): Promise<void> {
    return deleteBlob(this.#connection, digest, options);
  }

  /** An upload that was opened instead of a mount serves for the push that follows; a second one is of no use. */
  async #keepSession(digest: Digest, session: UploadSession): Promise<void> {
    if (this.#sessions.has(digest)) await cancelUpload(this.#connection, session.location);
    else this.#sessions.set(digest, session);
  }

  #takeSession(digest: Digest): UploadSession | undefined {
    const session = this.#sessions.get(digest);
    this.#sessions.delete(digest);
    return session;
  }

  /** The repository of our own host that a label stands for. */
  #sibling(label: string): string | undefined {
    const located = this.#locate(label);
    return located?.host === this.#connection.host ? located.repository : undefined;
  }

  #remember(manifest: FetchedManifest): void {
    this.#known.set(manifest.descriptor.digest, manifest);
    const oldest = this.#known.keys().next();
    if (this.#known.size > keptManifests && !oldest.done) this.#known.delete(oldest.value);
  }

  #error(response: Parameters<typeof errorFromResponse>[0], action: string): Promise<RegistryError> {
    return errorFromResponse(response, { action, host: this.#connection.host });
  }
}

function refuseLarge({ size }: Descriptor): void {
  if (size <= manifestLimit) return;
  throw new RegistryError('TOO_LARGE', `a manifest has ${manifestLimit} bytes at most, this one ${size}`);
}

function splitLabel(label: string): Located | undefined {
  const slash = label.indexOf('/');
  return slash < 0 ? undefined : { host: label.slice(0, slash), repository: label.slice(slash + 1) };
}

function pathOf(descriptor: Descriptor): string {
  return `${isManifestLike(descriptor) ? 'manifests' : 'blobs'}/${descriptor.digest}`;
}
