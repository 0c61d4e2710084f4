import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { findExecutable, minimalEnvironment } from '../../system/index.ts';
import { BuildError } from '../error.ts';

/** Compressions that the layer codec leaves to a program of this machine. */
export type PackedBy = 'bzip2' | 'xz';

/** Which program undoes the compression that a file begins with; undefined for gzip, zstd and none, which need none. */
export function packedBy(head: Buffer): PackedBy | undefined {
  if (head.subarray(0, 3).toString('latin1') === 'BZh') return 'bzip2';
  return head.subarray(0, 6).toString('latin1') === '\xfd7zXZ\0' ? 'xz' : undefined;
}

/** Whether a file may be a tar archive by its first block: one that a known compression packed, or that has a tar header. */
export function mayBeArchive(head: Buffer): boolean {
  const isPacked =
    packedBy(head) !== undefined ||
    (head[0] === 0x1f && head[1] === 0x8b) ||
    (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528);
  return isPacked || hasTarChecksum(head);
}

/** The oldest tars have no magic word, but all have a checksum: of the block, blanks in place of itself. */
function hasTarChecksum(head: Buffer): boolean {
  const [blockSize, from, to] = [512, 148, 156];
  if (head.length < blockSize) return false;
  const written = /[0-7]+/.exec(head.toString('latin1', from, to))?.[0];
  const sum = head.subarray(0, blockSize).reduce((total, byte, at) => total + (at >= from && at < to ? 0x20 : byte), 0);
  return written !== undefined && Number.parseInt(written, 8) === sum;
}

/**
 * Starts the program that unpacks, never one of an image. `input` is a descriptor to read from, or `pipe` to write to its stdin.
 * @throws BuildError ARCHIVE_INVALID where this machine lacks the program: going on with the packed bytes would be silent and wrong
 */
export function startUnpacking(
  program: PackedBy,
  input: number | 'pipe',
  what: string,
): { readonly child: ChildProcess; readonly output: Readable } {
  const executable = findExecutable(program);
  if (executable === undefined) {
    throw new BuildError('ARCHIVE_INVALID', `cannot unpack ${what}: this machine has no ${program}`, {
      hint: `install ${program}`,
    });
  }
  const child = spawn(executable, ['-dc'], { stdio: [input, 'pipe', 'ignore'], env: minimalEnvironment() });
  return { child, output: Readable.from(outputOf(child, program), { objectMode: false }) };
}

/** Its output, which ends only once it is known that the program was content: a packed file that is cut off gives less, not an error. */
async function* outputOf(child: ChildProcess, program: PackedBy): AsyncGenerator<Buffer> {
  const ended = Promise.withResolvers<number | null>();
  ended.promise.catch(() => undefined); // thrown below, unless nobody reads so far
  child.once('error', ended.reject);
  child.once('close', ended.resolve);
  try {
    for await (const chunk of child.stdout as Readable) yield chunk as Buffer;
    const code = await ended.promise;
    if (code !== 0) throw new Error(`${program} ended with status ${code}`);
  } finally {
    child.kill();
  }
}
