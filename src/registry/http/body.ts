import type { Readable } from 'node:stream';
import { RegistryError } from '../error.ts';
import type { HttpResponse } from './dispatch.ts';

/** How much of an unwanted body is read so that its connection can be used again; bytes. */
const drainLimit = 64 * 1024;

/** Longest wait for the rest of a body of which only some is wanted: one that trickles never stands still. Milliseconds. */
const longestPrefix = 5000;
/** The same for a document that is wanted whole: even the largest comes in that time. */
const longestDocument = 5 * 60_000;

/** Lets go of a body that nobody wants. Never throws. */
export async function discard(response: HttpResponse): Promise<void> {
  await readPrefix(response.body, drainLimit);
}

/** The first `limit` bytes of a stream, or fewer if it ends or breaks before; the rest is dropped. Never throws. */
export async function readPrefix(body: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  body.on('error', ignore);
  const timer = setTimeout(() => body.destroy(), longestPrefix);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // what came before the break is still worth showing
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).subarray(0, limit);
}

/**
 * A whole body of at most `limit` bytes.
 * @throws RegistryError TOO_LARGE; the stream's own error where it breaks
 */
export async function readAll(body: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  body.on('error', ignore);
  const slow = new RegistryError(
    'TIMEOUT',
    `the answer did not come to its end within ${longestDocument / 60_000} minutes`,
  );
  const timer = setTimeout(() => body.destroy(slow), longestDocument);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw new RegistryError('TOO_LARGE', `the answer is longer than ${limit} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** Destroys a body without an unhandled 'error' event. */
export function abandon(body: Readable): void {
  body.on('error', ignore);
  body.destroy();
}

function ignore(): void {}
