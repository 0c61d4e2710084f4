import { createWriteStream } from 'node:fs';
import { mkdtemp, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve as absolute } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CallOptions } from '../oci/index.ts';
import { archiveEntries, type ArchiveKind } from './archive-entries.ts';
import { packTar } from './archive-pack.ts';
import { TransportError } from './error.ts';
import { openLayout } from './layout-target.ts';
import { SpooledSink } from './spooled-sink.ts';
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
  const mtime = options.mtime ?? 0;
  const commit = async (options: CallOptions): Promise<void> => {
    const bytes = packTar(await archiveEntries(kind, folder, layout), mtime);
    if (typeof destination === 'string') {
      const temporaryFolder = dirname(destination);
      await writeFileWhole(destination, stoppable(bytes, options), { temporaryFolder, durable: true });
      return;
    }
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    // streams that we opened are ended, standard output is not ours
    await pipeline(Readable.from(bytes, { objectMode: false }), destination, {
      end: typeof to === 'string',
      ...signal,
    });
  };
  return new SpooledSink({ label: `${kind}:${typeof to === 'string' ? to : '-'}`, folder, layout, commit });
}

/** A device or pipe is written into: renaming a file over `/dev/stdout` would take it away. */
async function destinationAt(path: string): Promise<string | Writable> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return absolute(path);
  if (found.isFile()) return realpath(path);
  if (!found.isDirectory()) return createWriteStream(path);
  throw new TransportError('INVALID_LOCATION', `${path} is a folder; an archive is a file`);
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
