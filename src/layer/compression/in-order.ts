import { chunkPassed } from '../../system/index.ts';
import type { Block } from './blocks.ts';

/** How blocks are compressed beside each other. */
export interface SideBySide {
  /** Blocks at work at once; does not show in the output. */
  readonly atOnce: number;
  /** Memory of the output of one, however little of it is used. */
  readonly outputSize: number;
  /** Compresses a block on Node's thread pool and gives it back. */
  readonly work: (block: Block) => Promise<Buffer>;
}

/** The outputs of blocks that are compressed side by side, in the order of the blocks. */
export async function* inOrder(
  blocks: AsyncIterable<Block>,
  { atOnce, outputSize, work }: SideBySide,
): AsyncGenerator<Buffer> {
  const queue: Promise<Buffer>[] = [];
  const next = async (): Promise<Buffer> => {
    const packed = (await queue.shift()) as Buffer;
    chunkPassed(2 * outputSize); // twice, to be collected twice as often: 8 to 20 MB less at the peak
    return packed;
  };
  try {
    for await (const block of blocks) {
      const packed = work(block);
      packed.catch(() => undefined); // told when its turn comes; it may fail before anybody waits for it
      queue.push(packed);
      if (queue.length >= atOnce) yield await next();
    }
    while (queue.length > 0) yield await next();
  } finally {
    await Promise.allSettled(queue);
  }
}
