import { createWriteStream } from 'node:fs';
import { mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve as absolute } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CallOptions, Descriptor, Digest, FetchOptions } from '../oci/index.ts';
import { archiveEntries, type ArchiveKind } from './archive-entries.ts';
import { packTar } from './archive-pack.ts';
import { TransportError } from './error.ts';
import { type LayoutTarget, openLayout } from './layout-target.ts';
import type { TransportSink } from './transport.ts';
import { writeFileWhole } from './write-file.ts';

export interface ArchiveSinkOptions {
  /** Time of all entries, seconds since 1970; 0 unless given, so that the same images give the same bytes. */
  readonly mtime?: number;
  /** Where blobs wait until the archive is packed; beside the destination, or in the temporary folder for a stream. */
  readonly spoolFolder?: string;
}

/** Begins an archive of an OCI layout, at a path or into a stream (standard output), which is not closed. */
export function createOciArchive(to: string | Writable, options: ArchiveSinkOptions = {}): Promise<TransportSink> {
  return create('oci-archive', to, options);
}

/** Begins an archive as `docker save` writes it now: an OCI layout with docker's manifest.json in it. */
export function createDockerArchive(to: string | Writable, options: ArchiveSinkOptions = {}): Promise<TransportSink> {
  return create('docker-archive', to, options);
}

async function create(kind: ArchiveKind, to: string | Writable, options: ArchiveSinkOptions): Promise<TransportSink> {
  const destination = typeof to === 'string' ? await destinationAt(to) : to;
  const beside = typeof destination === 'string' ? dirname(destination) : tmpdir();
  const folder = await mkdtemp(join(options.spoolFolder ?? beside, '.slipway-archive-'));
  const layout = await openLayout(folder, { create: true, scratch: true });
  const label = `${kind}:${typeof to === 'string' ? to : '-'}`;
  return new ArchiveSink({
    label,
    kind,
    destination,
    folder,
    layout,
    mtime: options.mtime ?? 0,
    ended: typeof to === 'string',
  });
}

/** A device or pipe is written into: renaming a file over `/dev/stdout` would take it away. */
async function destinationAt(path: string): Promise<string | Writable> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return absolute(path);
  if (found.isFile()) return realpath(path);
  if (!found.isDirectory()) return createWriteStream(path);
  throw new TransportError('INVALID_LOCATION', `${path} is a folder; an archive is a file`);
}

interface SinkState {
  readonly label: string;
  readonly kind: ArchiveKind;
  readonly destination: string | Writable;
  readonly folder: string;
  readonly layout: LayoutTarget;
  readonly mtime: number;
  /** Whether a stream is ended: those that we opened are, standard output is not ours. */
  readonly ended: boolean;
}

/** An archive being made: blobs wait in a layout of their own, since a tar must know sizes and order before it is written. */
class ArchiveSink implements TransportSink {
  readonly label: string;
  readonly #state: SinkState;

  constructor(state: SinkState) {
    this.label = state.label;
    this.#state = state;
  }

  fetch(descriptor: Descriptor, options?: FetchOptions): Promise<Readable> {
    return this.#state.layout.fetch(descriptor, options);
  }

  exists(descriptor: Descriptor): Promise<boolean> {
    return this.#state.layout.exists(descriptor);
  }

  push(descriptor: Descriptor, content: Readable | Uint8Array, options?: CallOptions): Promise<void> {
    return this.#state.layout.push(descriptor, content, options);
  }

  resolve(reference: string, options?: CallOptions): Promise<Descriptor> {
    return this.#state.layout.resolve(reference, options);
  }

  tag(descriptor: Descriptor, reference: string, options?: CallOptions): Promise<void> {
    return this.#state.layout.tag(descriptor, reference, options);
  }

  referrers(digest: Digest, artifactType?: string, options?: CallOptions): Promise<readonly Descriptor[]> {
    return this.#state.layout.referrers(digest, artifactType, options);
  }

  async commit(options: CallOptions = {}): Promise<void> {
    const { kind, folder, layout, mtime, destination, ended } = this.#state;
    const bytes = packTar(await archiveEntries(kind, folder, layout), mtime);
    if (typeof destination === 'string') {
      const temporaryFolder = dirname(destination);
      await writeFileWhole(destination, stoppable(bytes, options), { temporaryFolder, durable: true });
    } else {
      const signal = options.signal === undefined ? {} : { signal: options.signal };
      await pipeline(Readable.from(bytes, { objectMode: false }), destination, { end: ended, ...signal });
    }
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#state.folder, { recursive: true, force: true });
  }
}

/** Packing a large archive can be stopped between two pieces. */
async function* stoppable(
  bytes: AsyncIterable<Uint8Array>,
  { signal }: CallOptions,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
