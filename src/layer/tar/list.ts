import { createDecompressor } from '../compression/decompress.ts';
import type { TarEntry } from '../entry.ts';
import { type TarLimits, TarReader } from './reader.ts';

/**
 * Lists the entries of a tar, compressed or not, in their order, without their content.
 * @throws LayerError as TarReader and createDecompressor do
 */
export async function* listEntries(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits: TarLimits = {},
): AsyncGenerator<TarEntry> {
  let found: TarEntry[] = [];
  const reader = new TarReader(
    { entry: (entry) => void found.push(entry), data() {}, hole() {}, endEntry() {} },
    limits,
  );
  const decompressor = createDecompressor((bytes) => reader.write(bytes));
  try {
    for await (const chunk of source) {
      await decompressor.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      yield* found;
      found = [];
    }
    await decompressor.end();
    reader.end();
    yield* found;
  } finally {
    decompressor.close();
  }
}
