import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/** Two buffers for each file that is being sent: one is filled while the other one leaves. */
const bufferSize = 256 * 1024;

/**
 * Writes the bytes of a file from `start` to `end`, both included, and does not end `out`. The same two buffers are used
 * from first to last: with a new one for each piece, as streams of files have it, most of the time goes into clean pages.
 */
export async function sendFile(path: string, out: Writable, [start, end]: readonly [number, number]): Promise<void> {
  await using file = await open(path, 'r');
  const size = Math.min(bufferSize, end - start + 1);
  let buffers: readonly [Buffer, Buffer] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  let reading = readPiece(file, buffers[0], start, end);
  for (let at = start; at <= end; ) {
    const piece = await reading;
    if (piece.length === 0) throw new Error(`${path} ends before byte ${end}`);
    at += piece.length;
    buffers = [buffers[1], buffers[0]];
    reading = at <= end ? readPiece(file, buffers[0], at, end) : reading;
    try {
      await written(out, piece);
    } catch (error) {
      // The file stays open until nothing reads from it.
      await reading.catch(() => {});
      throw error;
    }
  }
}

async function readPiece(file: FileHandle, buffer: Buffer, at: number, end: number): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, end - at + 1), at);
  return buffer.subarray(0, bytesRead);
}

/** Ends when the bytes have left, or the other side has. */
function written(out: Writable, piece: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const gone = (): void => reject(new Error('the connection was closed'));
  if (out.destroyed) gone();
  out.once('close', gone);
  out.write(piece, (error) => {
    out.off('close', gone);
    if (error) reject(error);
    else resolve();
  });
  return promise;
}
