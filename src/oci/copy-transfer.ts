import { pipeline, type Readable, Transform } from 'node:stream';
import { messageOf } from '../errors.ts';
import { CopyError, type CopyEvent } from './copy-events.ts';
import type { Descriptor } from './descriptor.ts';
import { codeOf } from './error.ts';
import type { Target } from './target.ts';

/** Where a blob may be mounted from: any of these, or as the function says of it. */
export type MountOrigins = readonly Target[] | ((blob: Descriptor) => Promise<readonly Target[]>);

/** Where one piece of content goes, and who hears of it. */
export interface Transfer {
  readonly from: Target;
  readonly to: Target;
  readonly mountFrom: MountOrigins;
  readonly emit: (event: CopyEvent) => void;
  readonly signal: AbortSignal;
}

/** Bytes between two progress events. */
const progressStep = 256 * 1024;

/** Pushes a manifest or index that was read before. */
export async function transferDocument(transfer: Transfer, descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
  const { to, emit, signal } = transfer;
  emit({ kind: 'started', descriptor });
  await onSide(transfer, 'destination', descriptor, () => to.push(descriptor, bytes, { signal }));
  emit({ kind: 'done', descriptor });
}

/** Brings a blob over by the cheapest way: it is there, the place has it elsewhere, it is in the descriptor, or as a stream. */
export async function transferBlob(transfer: Transfer, descriptor: Descriptor): Promise<void> {
  const { to, emit, signal } = transfer;
  if (await onSide(transfer, 'destination', descriptor, () => to.exists(descriptor, { signal }))) {
    emit({ kind: 'skipped', descriptor });
    return;
  }
  const origin = await mountOrigin(transfer, descriptor);
  if (origin !== undefined) {
    emit({ kind: 'mounted', descriptor, from: origin.label });
    return;
  }
  if (descriptor.data !== undefined) return transferDocument(transfer, descriptor, descriptor.data);
  emit({ kind: 'started', descriptor });
  await stream(transfer, descriptor);
  emit({ kind: 'done', descriptor });
}

async function mountOrigin(transfer: Transfer, descriptor: Descriptor): Promise<Target | undefined> {
  const { to, mountFrom, signal } = transfer;
  if (to.mount === undefined) return undefined;
  const origins = typeof mountFrom === 'function' ? await mountFrom(descriptor) : mountFrom;
  for (const origin of origins) {
    const mounted = await onSide(transfer, 'destination', descriptor, async () =>
      to.mount?.(descriptor, origin, { signal }),
    );
    if (mounted === true) return origin;
  }
  return undefined;
}

async function stream(transfer: Transfer, descriptor: Descriptor): Promise<void> {
  const { from, to, signal } = transfer;
  const source = await onSide(transfer, 'source', descriptor, () => from.fetch(descriptor, { signal }));
  const counter = countingStream(transfer, descriptor);
  const failure = watch(source, counter);
  pipeline(source, counter, () => undefined);
  try {
    await to.push(descriptor, counter, { signal });
  } catch (error) {
    const wrongBytes = isMismatch(error);
    throw failureOf(transfer, failure.ofSource || wrongBytes ? 'source' : 'destination', descriptor, error);
  } finally {
    // Also stops the source if the destination gave up, or had it all along and did not read.
    counter.destroy();
  }
}

/** Whether the source failed of itself: before anyone destroyed what it flows into. */
function watch(source: Readable, sink: Transform): { readonly ofSource: boolean } {
  const failure = { ofSource: false };
  const note = (): void => {
    if (!sink.destroyed && !source.readableEnded) failure.ofSource = true;
  };
  source.once('error', note).once('close', note);
  return failure;
}

function countingStream({ emit }: Transfer, descriptor: Descriptor): Transform {
  let bytes = 0;
  let told = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes - told >= progressStep || bytes === descriptor.size) {
        told = bytes;
        emit({ kind: 'progress', descriptor, bytes });
      }
      done(null, chunk);
    },
  });
}

/** Runs one call to one side, and says in the error which side it was. */
export async function onSide<T>(
  transfer: Transfer,
  side: 'source' | 'destination',
  descriptor: Descriptor,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw failureOf(transfer, side, descriptor, error);
  }
}

function failureOf(
  transfer: Transfer,
  side: 'source' | 'destination',
  descriptor: Descriptor,
  cause: unknown,
): unknown {
  if (transfer.signal.aborted) return transfer.signal.reason;
  const place = (side === 'source' ? transfer.from : transfer.to).label;
  const verb = side === 'source' ? 'read' : 'write';
  const message = `cannot ${verb} ${descriptor.digest} ${side === 'source' ? 'from' : 'to'} ${place}: ${messageOf(cause)}`;
  return new CopyError(message, { side, place, descriptor, cause, ...passedOn(cause) });
}

/** The hint of the error below is what helps. */
function passedOn(cause: unknown): { readonly hint?: string } {
  const hint = typeof cause === 'object' && cause !== null && 'hint' in cause ? cause.hint : undefined;
  return typeof hint === 'string' ? { hint } : {};
}

function isMismatch(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'DIGEST_MISMATCH' || code === 'SIZE_MISMATCH';
}
