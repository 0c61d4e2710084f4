import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type CallOptions, codeOf, OciError } from '../oci/index.ts';
import { TransportError } from './error.ts';
import type { LayoutFile, LayoutFiles } from './layout-files.ts';
import { findFile, indexTar, type TarFile, type TarIndex } from './tar-index.ts';
import { writeAll } from './write-file.ts';

/** Bounds of an archive that is read. */
export interface ArchiveOptions extends CallOptions {
  /** Where a compressed or piped archive is unpacked to be read at random; the system's temporary folder unless given. */
  readonly spoolFolder?: string;
  /** Bytes of an unpacked archive that are accepted; 256 GiB unless given. */
  readonly maxSize?: number;
}

/** An open tar archive of a layout: its files are read in place. */
export interface ArchiveFiles extends LayoutFiles, AsyncDisposable {
  has(path: string): boolean;
  /** The place in the archive that `path` leads to: equal for two names of one file. */
  offset(path: string): number | undefined;
}

/**
 * Opens a tar, plain or compressed with gzip or zstd, or one that arrives as a stream (`load` from a pipe). Only what
 * cannot be read in place is unpacked into a temporary file, which has no name once it is open.
 * @throws TransportError NOT_AN_ARCHIVE, INVALID_ARCHIVE
 */
export async function openArchiveFiles(
  source: string | Readable,
  label: string,
  options: ArchiveOptions = {},
): Promise<ArchiveFiles> {
  const stored =
    typeof source === 'string' ? await open(source, 'r').catch(notThere(source)) : await spool(source, options);
  const handle = await replaceOnFailure(stored, async () => plainTar(stored, label, options));
  return replaceOnFailure(handle, async () => archiveFiles(handle, await indexTar(handle, label), label));
}

/** The handle that `work` gives; the one it began with is closed if it fails. */
async function replaceOnFailure<T>(handle: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function notThere(path: string): (error: unknown) => never {
  return (cause) => {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new OciError('NOT_FOUND', `there is no file ${path}`, { cause });
  };
}

async function plainTar(handle: FileHandle, label: string, options: ArchiveOptions): Promise<FileHandle> {
  if (!(await handle.stat()).isFile()) {
    // A FIFO or `/dev/stdin` can be read once only.
    const spooled = await spool(Readable.from(bytesOf(handle), { objectMode: false }), options);
    await handle.close();
    return replaceOnFailure(spooled, () => plainTar(spooled, label, options));
  }
  const start = await startOf(handle);
  if (start.length === 0) throw new TransportError('NOT_AN_ARCHIVE', `${label} is empty`);
  const decompress = decompressorFor(start, label);
  if (decompress === undefined) return handle;
  const compressed = Readable.from(bytesOf(handle, 0), { objectMode: false });
  const unpacked = await spool(compressed, options, decompress).catch((cause: unknown) => {
    if (!isZlibError(cause)) throw cause;
    throw new TransportError('INVALID_ARCHIVE', `${label} cannot be decompressed`, { cause });
  });
  await handle.close();
  return unpacked;
}

function isZlibError(error: unknown): boolean {
  const code = codeOf(error);
  return typeof code === 'string' && (code.startsWith('Z_') || code.startsWith('ZSTD_') || code.startsWith('ERR_ZLIB'));
}

async function startOf(handle: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0);
  return buffer.subarray(0, bytesRead);
}

/** By the first bytes; names of archives say little. */
function decompressorFor(start: Buffer, label: string): Transform | undefined {
  const magic = start.toString('hex');
  if (magic.startsWith('1f8b')) return createGunzip();
  if (magic.startsWith('28b52ffd')) return createZstdDecompress();
  const unsupported = magic.startsWith('425a68') ? 'bzip2' : magic.startsWith('fd377a585a00') ? 'xz' : undefined;
  if (unsupported === undefined) return undefined;
  throw new TransportError('NOT_AN_ARCHIVE', `${label} is compressed with ${unsupported}`, {
    hint: 'decompress it first; plain tar, gzip and zstd are read',
  });
}

async function spool(source: Readable, options: ArchiveOptions, through?: Transform): Promise<FileHandle> {
  const path = join(options.spoolFolder ?? tmpdir(), `slipway-${randomUUID()}.tar`);
  const handle = await open(path, 'wx+', 0o600);
  await unlink(path);
  return replaceOnFailure(handle, async () => {
    const sink = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
      for await (const chunk of chunks) await writeAll(handle, chunk);
    };
    const limit = sizeLimit(options.maxSize ?? 256 * 1024 ** 3);
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    if (through === undefined) await pipeline(source, limit, sink, signal);
    else await pipeline(source, through, limit, sink, signal);
    return handle;
  });
}

/** A small file can decompress to a full disk. */
function sizeLimit(limit: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.byteLength;
      if (seen > limit) done(new OciError('TOO_LARGE', `the archive unpacks to more than ${limit} bytes`));
      else done(null, chunk);
    },
  });
}

function archiveFiles(handle: FileHandle, index: TarIndex, label: string): ArchiveFiles {
  const streams = new Set<Readable>();
  let closed = false;
  return {
    label,
    has: (path) => findFile(index, path) !== undefined,
    offset: (path) => findFile(index, path)?.offset,
    open: async (path) => {
      if (closed) throw new TransportError('CLOSED', `${label} was closed`);
      const found = findFile(index, path);
      return found && tarFile(handle, found, streams);
    },
    [Symbol.asyncDispose]: async () => {
      if (closed) return;
      closed = true;
      // A stream left behind would read from a descriptor that is someone else's by then.
      for (const stream of streams) stream.destroy();
      await handle.close();
    },
  };
}

function tarFile(handle: FileHandle, { offset, size }: TarFile, streams: Set<Readable>): LayoutFile {
  const read = (from = 0): Readable => {
    const bytes = bytesOf(handle, offset + from, Math.max(0, size - from));
    const stream = Readable.from(bytes, { objectMode: false });
    streams.add(stream);
    return stream.once('close', () => streams.delete(stream));
  };
  return { size, read, close: async () => undefined };
}

/**
 * The bytes of an open file, which stays open: node's file streams close theirs when destroyed, whatever `autoClose` says.
 * @param from undefined reads on from where it stands, as a pipe must be
 */
async function* bytesOf(handle: FileHandle, from?: number, count = Infinity): AsyncGenerator<Buffer, void, void> {
  for (let done = 0; done < count; ) {
    const buffer = Buffer.allocUnsafe(Math.min(256 * 1024, count - done));
    const position = from === undefined ? null : from + done;
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, position);
    if (bytesRead === 0) return;
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
