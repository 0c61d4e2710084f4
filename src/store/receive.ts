import fs from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type CallOptions, type ContentSource, type Descriptor, Verifier } from '../oci/index.ts';
import { chunkPassed } from '../system/index.ts';
import type { StoreBase } from './base.ts';
import { asStoreError, errnoOf } from './error.ts';
import { ingestPath } from './ingest.ts';
import type { PartialFile, Partials } from './partials.ts';

/** A blob that comes: what an earlier download left of it, and the stream of the rest. */
export interface ArrivingBlob extends PartialFile {
  readonly descriptor: Descriptor;
  readonly rest: Readable;
}

export interface Reception extends CallOptions {
  readonly descriptor: Descriptor;
  readonly source: ContentSource;
  /** Whether it came meanwhile, from another process say; asked when nobody else is at it. */
  readonly isHere: () => Promise<boolean>;
  /** Takes the rest, verifies the whole and publishes the file. */
  readonly take: (blob: ArrivingBlob) => Promise<void>;
}

/**
 * Gets a blob that others may be getting at the same time, or got a part of. Those who come second wait, and use what the first
 * brought or go on where it died. Where the whole proves wrong after a part was kept, that part is dropped and all of it fetched once.
 */
export async function receiveBlob(
  { base, partials }: { readonly base: StoreBase; readonly partials: Partials },
  reception: Reception,
): Promise<void> {
  const { descriptor, signal } = reception;
  using claim = await partials.claim(descriptor.digest, { signal });
  if (await reception.isHere()) return;
  const open = claim === undefined ? () => privateFile(base) : () => partials.open(descriptor.digest, descriptor);
  for (;;) {
    const file = await open();
    const outcome = await attempt(reception, file);
    if (outcome === undefined) return;
    await partials.leave(file, outcome.verdict);
    signal?.throwIfAborted();
    if (file.kept === 0 || !isMismatch(outcome.error))
      throw asStoreError(outcome.error, `cannot store ${descriptor.digest}`);
  }
}

interface Failure {
  readonly error: unknown;
  readonly verdict: 'keep' | 'drop';
}

/** What the source could not give to the end is worth keeping; what we could not use is not. */
async function attempt(reception: Reception, file: PartialFile): Promise<Failure | undefined> {
  const { descriptor, source, signal } = reception;
  let rest: Readable | undefined;
  let ofSource = true;
  try {
    rest = file.kept === descriptor.size ? Readable.from([]) : await source(file.kept);
    ofSource = false;
    rest.once('error', () => {
      ofSource = true;
    });
    await reception.take({ ...file, descriptor, rest });
    return undefined;
  } catch (error) {
    return { error, verdict: (ofSource || signal?.aborted) && !isMismatch(error) ? 'keep' : 'drop' };
  } finally {
    rest?.on('error', () => undefined).destroy();
    await file.handle.close();
  }
}

async function privateFile(base: StoreBase): Promise<PartialFile> {
  const path = ingestPath(base);
  return { path, handle: await fs.open(path, 'wx+', 0o600), kept: 0 };
}

/**
 * Appends the rest of a blob to its file, and syncs it when the whole is as described.
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function appendVerified(
  { descriptor, handle, kept, rest }: ArrivingBlob,
  { signal, onProgress }: CallOptions & { readonly onProgress?: ((bytes: number) => void) | undefined },
): Promise<void> {
  const verifier = new Verifier(descriptor);
  await verifyKept(handle, kept, verifier);
  let at = kept;
  for await (const chunk of rest as AsyncIterable<Buffer>) {
    signal?.throwIfAborted();
    verifier.update(chunk);
    await handle.appendFile(chunk);
    chunkPassed(chunk.length);
    at += chunk.length;
    onProgress?.(at);
  }
  verifier.finish();
  await handle.sync();
}

async function verifyKept(handle: fs.FileHandle, kept: number, verifier: Verifier): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(kept === 0 ? 0 : 256 * 1024);
  for (let at = 0; at < kept; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, kept - at), at);
    if (bytesRead === 0) return;
    verifier.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

function isMismatch(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'DIGEST_MISMATCH' || code === 'SIZE_MISMATCH';
}
