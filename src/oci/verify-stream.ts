import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import type { Descriptor } from './descriptor.ts';
import { algorithmOf, finishDigest } from './digest.ts';
import { OciError } from './error.ts';

/** Longest run of bytes hashed at once, so that one large chunk cannot hold the event loop. */
const slice = 64 * 1024;

/** Hashes and counts bytes as they pass, then says whether they are those that a descriptor describes. */
export class Verifier {
  readonly #descriptor: Descriptor;
  readonly #hash;
  #seen = 0;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
    this.#hash = createHash(algorithmOf(descriptor.digest));
  }

  /** @throws OciError SIZE_MISMATCH as soon as there are too many bytes */
  update(chunk: Uint8Array): void {
    this.#seen += chunk.byteLength;
    const { size, digest } = this.#descriptor;
    if (this.#seen > size) throw new OciError('SIZE_MISMATCH', `${digest} has more than the ${size} bytes described`);
    for (let at = 0; at < chunk.byteLength; at += slice) this.#hash.update(chunk.subarray(at, at + slice));
  }

  /** @throws OciError SIZE_MISMATCH, DIGEST_MISMATCH */
  finish(): void {
    const { size, digest } = this.#descriptor;
    if (this.#seen !== size) {
      throw new OciError('SIZE_MISMATCH', `${digest} ends after ${this.#seen} of the ${size} bytes described`);
    }
    const found = finishDigest(this.#hash, algorithmOf(digest));
    if (found !== digest) throw new OciError('DIGEST_MISMATCH', `the content is ${found}, not the ${digest} described`);
  }
}

/** A pass-through that fails with SIZE_MISMATCH or DIGEST_MISMATCH before its end unless the bytes are those described. */
export function verifyStream(descriptor: Descriptor): Transform {
  const verifier = new Verifier(descriptor);
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      done(
        errorOf(() => verifier.update(chunk)),
        chunk,
      );
    },
    flush(done) {
      done(errorOf(() => verifier.finish()));
    },
  });
}

/** Checks content that is at hand. @throws OciError SIZE_MISMATCH, DIGEST_MISMATCH */
export function verifyBytes(descriptor: Descriptor, content: Uint8Array): void {
  const verifier = new Verifier(descriptor);
  verifier.update(content);
  verifier.finish();
}

function errorOf(check: () => void): Error | null {
  try {
    check();
    return null;
  } catch (error) {
    return error as Error;
  }
}
