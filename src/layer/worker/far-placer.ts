import { createHash } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import { type Digest, finishDigest } from '../../oci/index.ts';
import { type Placed, type PlacedLayer, type Placer, TarPlacer } from '../apply/placer.ts';
import type { ApplyOptions } from '../contract.ts';
import { updateHash } from '../hashing.ts';
import type { Partners } from './messages.ts';
import { PieceWriter, readPieces } from './pieces.ts';

/** Gives a layer's plain bytes to a thread that puts them on disk and to one that hashes them. */
export class FarPlacer implements Placer {
  readonly #pieces: PieceWriter;

  constructor({ placer, hasher }: Partners) {
    this.#pieces = new PieceWriter([placer, hasher]);
  }

  memory(): Buffer | undefined {
    return this.#pieces.memory();
  }

  write(bytes: Buffer): void {
    this.#pieces.write(bytes);
  }

  room(): Promise<void> {
    return this.#pieces.room();
  }

  async finish(): Promise<PlacedLayer> {
    const [placed, diffId] = await this.#pieces.end();
    return { ...(placed as Placed), diffId: diffId as Digest };
  }

  close(): void {
    this.#pieces.close();
  }
}

/** Puts on disk what comes through a port. What fails is told there alone. */
export function placeFrom(port: MessagePort, dir: string, options: ApplyOptions, checkIn: () => void): Promise<void> {
  return readPieces(port, () => {
    const placer = new TarPlacer(dir, options);
    return {
      write(bytes) {
        checkIn();
        placer.write(bytes);
      },
      finish: () => placer.finish(),
      close: () => placer.close(),
    };
  });
}

/** Hashes what comes through a port: less than a millisecond at a time. */
export function hashFrom(port: MessagePort): Promise<void> {
  return readPieces(port, () => {
    const hash = createHash('sha256');
    return { write: (bytes) => updateHash(hash, bytes), finish: () => finishDigest(hash) };
  });
}
