import { writeSync } from 'node:fs';

/** Writes all of `bytes` at the descriptor's place: one write(2) may take less. Blocks: for workers. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
