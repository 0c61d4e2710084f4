import { writeSync } from 'node:fs';

/**
 * Writes all of `bytes`: one write(2) may take less. Blocks: for workers.
 * @param position where in the file; at the descriptor's place unless given
 */
export function writeFully(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    done += writeSync(fd, bytes, done, bytes.length - done, at);
  }
}
