import { createReadStream, closeSync, openSync, readSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { applyInWorker, listEntries } from '../../layer/index.ts';
import type { Privileges } from '../../system/index.ts';
import { messageOf } from '../../errors.ts';
import { BuildError } from '../error.ts';
import { mayBeArchive, packedBy, startUnpacking } from '../copy/packing.ts';

const blockSize = 512;

/** A stream of which the beginning is known. */
export interface Peeked {
  readonly head: Buffer;
  /** All of it, the beginning too. */
  readonly stream: Readable;
}

/** Looks at the first block of a stream. */
export async function peek(stream: Readable): Promise<Peeked> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first: Buffer[] = [];
  let length = 0;
  while (length < blockSize) {
    const { value, done } = await iterator.next();
    if (done) break;
    first.push(Buffer.from(value));
    length += value.length;
  }
  const head = Buffer.concat(first);
  return {
    head,
    stream: Readable.from(
      (async function* () {
        if (head.length > 0) yield head;
        for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
      })(),
      { objectMode: false },
    ),
  };
}

/** Whether a file may be a tar archive, by its first block. */
export function isArchiveFile(path: string): boolean {
  const head = Buffer.alloc(blockSize);
  const fd = openSync(path, 'r');
  try {
    return mayBeArchive(head.subarray(0, readSync(fd, head, 0, blockSize, 0)));
  } finally {
    closeSync(fd);
  }
}

export interface UnpackOptions {
  /** An empty folder. */
  readonly scratch: string;
  readonly privileges: Privileges;
  readonly signal?: AbortSignal | undefined;
  /** For messages. */
  readonly label: string;
}

/**
 * Unpacks an archive (plain, gzip, zstd, bzip2, xz) that is a context. Gives its folder.
 * @throws BuildError CONTEXT_INVALID, ARCHIVE_INVALID
 */
export async function unpackContext({ head, stream }: Peeked, options: UnpackOptions): Promise<string> {
  const { scratch, privileges, signal, label } = options;
  const folder = join(scratch, 'context');
  await mkdir(folder, { recursive: true });
  const program = packedBy(head);
  try {
    const plain = program === undefined ? stream : throughProgram(program, stream, label);
    await applyInWorker(plain, folder, { privileges, whiteouts: 'literal', signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof BuildError || isDiskFull(error)) throw error;
    throw new BuildError('CONTEXT_INVALID', `cannot unpack ${label}: ${messageOf(error)}`, { cause: error });
  }
  return folder;
}

function throughProgram(program: 'bzip2' | 'xz', stream: Readable, label: string): Readable {
  const { child, output } = startUnpacking(program, 'pipe', label);
  child.stdin?.on('error', () => stream.destroy()); // it says itself what is wrong
  stream.on('error', (error) => output.destroy(error));
  if (child.stdin !== null) stream.pipe(child.stdin);
  return output;
}

function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'DISK_FULL';
}

/** As `unpackContext`, from a file of this machine. */
export async function unpackContextFile(path: string, options: UnpackOptions): Promise<string> {
  return unpackContext(await peek(createReadStream(path)), options);
}

/** Time of the newest regular file in an archive, in seconds since 1970; undefined for what is none, or has none. */
export async function newestEntry(path: string): Promise<number | undefined> {
  const { head, stream } = await peek(createReadStream(path));
  if (!mayBeArchive(head)) {
    stream.destroy();
    return undefined;
  }
  const program = packedBy(head);
  let newest: number | undefined;
  for await (const entry of listEntries(program === undefined ? stream : throughProgram(program, stream, path))) {
    if (entry.type !== 'file') continue;
    const seconds = Number(entry.mtimeNs / 1_000_000_000n);
    newest = newest === undefined ? seconds : Math.max(newest, seconds);
  }
  return newest;
}
