import { open } from 'node:fs/promises';
import { Random } from './random.ts';

/** A quarter of it is random, the rest half zeros: large when compressed too, and not too slow to compress. */
export async function writeLarge(path: string, mebibytes: number): Promise<void> {
  const random = new Random('large');
  const file = await open(path, 'wx');
  try {
    const half = random.bytes(1 << 20);
    half.fill(0, half.length / 2);
    for (let at = 0; at < mebibytes; at += 1) await file.write(at % 4 === 0 ? random.bytes(1 << 20) : half);
  } finally {
    await file.close();
  }
}
