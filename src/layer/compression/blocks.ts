/** Some input of fixed size; give it back when done with it, so that its memory serves again. */
export interface Block {
  readonly bytes: Buffer;
  readonly isLast: boolean;
  release(): void;
}

/**
 * Cuts a stream into blocks of `size` bytes, the last one shorter or empty. `seen` is called for the bytes in their order.
 * As many buffers are made as are in use at once.
 */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  seen: (bytes: Buffer) => void,
): AsyncGenerator<Block> {
  const free: Buffer[] = [];
  const take = (): Buffer => free.pop() ?? Buffer.allocUnsafeSlow(size);
  const blockOf = (buffer: Buffer, length: number, isLast: boolean): Block => ({
    bytes: buffer.subarray(0, length),
    isLast,
    release: () => void free.push(buffer),
  });
  let current = take();
  let filled = 0;
  function* filledBy(chunk: Uint8Array): Generator<Block> {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    seen(bytes);
    for (let at = 0; at < bytes.length; ) {
      // A full block only goes out when more comes: the last one is told apart that way.
      if (filled === size) {
        yield blockOf(current, filled, false);
        current = take();
        filled = 0;
      }
      const taken = bytes.copy(current, filled, at);
      at += taken;
      filled += taken;
    }
  }
  // What need not be waited for is not: a layer comes in tens of thousands of pieces.
  if (Symbol.iterator in source) for (const chunk of source) for (const block of filledBy(chunk)) yield block;
  else for await (const chunk of source) for (const block of filledBy(chunk)) yield block;
  yield blockOf(current, filled, true);
}
