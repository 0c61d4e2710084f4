import type zlib from 'node:zlib';

/** A new stream for one block, whose output comes in chunks of that size. */
export type MakeStream = (chunkSize: number) => zlib.DeflateRaw | zlib.ZstdCompress;

/** Where Node's streams of zlib keep what they write into: undocumented, so it is looked at before it is used. */
interface Inner {
  _outBuffer: Buffer;
  _outOffset: number;
  _chunkSize: number;
}

const smallest = 1024;
let canRedirect = true;

/**
 * Compresses `input` on Node's thread pool into `output`, which is large enough, and gives the part that was filled. A stream makes memory of
 * its own otherwise for each block, megabytes that V8 then looks for: an eighth of the processor's time at zstd 3. Where Node is not as
 * expected, that is what happens; the bytes are the same.
 */
export async function compressInto(make: MakeStream, input: Buffer, output: Buffer): Promise<Buffer> {
  const stream = openStream(make, output);
  const pieces: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.on('data', (piece: Buffer) => void pieces.push(piece));
  stream.once('end', resolve);
  stream.once('error', reject);
  stream.end(input);
  await promise;
  if (pieces.every(({ buffer }) => buffer === output.buffer)) {
    return output.subarray(
      0,
      pieces.reduce((sum, { length }) => sum + length, 0),
    ); // one after the other
  }
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

function openStream(make: MakeStream, output: Buffer): ReturnType<MakeStream> {
  if (canRedirect) {
    const stream = make(smallest);
    const inner = stream as unknown as Partial<Inner>;
    canRedirect = inner._outBuffer?.length === smallest && inner._chunkSize === smallest && inner._outOffset === 0;
    if (canRedirect) return Object.assign(stream, { _outBuffer: output, _chunkSize: output.length });
    stream.destroy();
  }
  return make(output.length);
}
