import type { Block } from './blocks.ts';

/** How blocks are compressed beside each other. */
export interface SideBySide {
  /** Blocks at work at once; does not show in the output. */
  readonly atOnce: number;
  /** The most that can come of one. */
  readonly outputSize: number;
  /** Compresses a block on Node's thread pool and gives it back; what comes of it may lie in `output`. */
  readonly work: (block: Block, output: Buffer) => Promise<Buffer>;
}

/** The outputs of blocks that are compressed side by side, in the order of the blocks; each is good until the next one is taken. */
export async function* inOrder(
  blocks: AsyncIterable<Block>,
  { atOnce, outputSize, work }: SideBySide,
): AsyncGenerator<Buffer> {
  const queue: { readonly output: Buffer; readonly packed: Promise<Buffer> }[] = [];
  const free: Buffer[] = [];
  async function* next(): AsyncGenerator<Buffer> {
    const first = queue.shift();
    if (first === undefined) return;
    yield await first.packed;
    free.push(first.output);
  }
  try {
    for await (const block of blocks) {
      const output = free.pop() ?? Buffer.allocUnsafeSlow(outputSize);
      const packed = work(block, output);
      packed.catch(() => undefined); // told when its turn comes; it may fail before anybody waits for it
      queue.push({ output, packed });
      if (queue.length >= atOnce) yield* next();
    }
    while (queue.length > 0) yield* next();
  } finally {
    await Promise.allSettled(queue.map(({ packed }) => packed));
  }
}
