import { pipeline, type Readable, Transform } from 'node:stream';
import { messageOf } from '../errors.ts';
import { CopyError, type CopyEvent } from './copy-events.ts';
import type { Descriptor } from './descriptor.ts';
import { codeOf } from './error.ts';
import type { Target, TransferMemory } from './target.ts';

/** Where a blob may be mounted from: any of these, or as the function says of it. */
export type MountOrigins = readonly Target[] | ((blob: Descriptor) => Promise<readonly Target[]>);

/** Where one piece of content goes, and who hears of it. */
export interface Transfer {
  readonly from: Target;
  readonly to: Target;
  readonly mountFrom: MountOrigins;
  readonly memory: TransferMemory | undefined;
  readonly emit: (event: CopyEvent) => void;
  readonly signal: AbortSignal;
}

/** Bytes between two progress events. */
const progressStep = 256 * 1024;

/** Pushes a manifest or index that was read before, and gives it a name where that goes in one step. */
export async function transferDocument(
  transfer: Transfer,
  descriptor: Descriptor,
  { bytes, name }: { readonly bytes: Uint8Array; readonly name?: string | undefined },
): Promise<void> {
  const { to, emit, signal } = transfer;
  emit({ kind: 'started', descriptor });
  await onSide(transfer, 'destination', descriptor, async () => {
    if (name === undefined || to.pushTagged === undefined) await to.push(descriptor, bytes, { signal });
    else await to.pushTagged(descriptor, bytes, { reference: name, signal });
  });
  emit({ kind: 'done', descriptor });
}

/** Brings a blob over by the cheapest way: it is there, the place has it elsewhere, it is in the descriptor, or as a stream. */
export async function transferBlob(transfer: Transfer, descriptor: Descriptor): Promise<void> {
  const { to, emit, signal } = transfer;
  if (await onSide(transfer, 'destination', descriptor, () => to.exists(descriptor, { signal }))) {
    emit({ kind: 'skipped', descriptor });
    return;
  }
  await sendBlob(transfer, descriptor);
}

/** As `transferBlob`, of what is taken not to be there; pushing what exists is success. */
export async function sendBlob(transfer: Transfer, descriptor: Descriptor): Promise<void> {
  const { emit } = transfer;
  const origin = await mountOrigin(transfer, descriptor);
  if (origin !== undefined) {
    emit({ kind: 'mounted', descriptor, from: origin.label });
    return;
  }
  if (descriptor.data !== undefined) return transferDocument(transfer, descriptor, { bytes: descriptor.data });
  emit({ kind: 'started', descriptor });
  await streamTwice(transfer, descriptor);
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

/** Wrong bytes may be a cache's or a wire's doing: they are asked for once more. */
async function streamTwice(transfer: Transfer, descriptor: Descriptor): Promise<void> {
  try {
    await stream(transfer, descriptor);
  } catch (error) {
    if (transfer.signal.aborted || !(error instanceof CopyError) || !isMismatch(error.cause)) throw error;
    await stream(transfer, descriptor).catch((second: unknown) => {
      throw second instanceof CopyError && !isMismatch(second.cause) ? error : second;
    });
  }
}

async function stream(transfer: Transfer, descriptor: Descriptor): Promise<void> {
  const { from, to, memory, signal } = transfer;
  let ofSource = false;
  let current: Readable | undefined;
  const failed = (): void => {
    ofSource = true;
  };
  const source = async (offset: number): Promise<Readable> => {
    ofSource = false;
    try {
      current = await from.fetch(descriptor, { signal, offset, unverified: true });
    } catch (error) {
      failed();
      throw error;
    }
    // a destination that has enough destroys it without an error
    return current.once('error', failed);
  };
  const onProgress = progressOf(transfer, descriptor);
  try {
    if (to.pushFrom !== undefined) await to.pushFrom(descriptor, source, { signal, onProgress, memory });
    else await to.push(descriptor, counted(await source(0), onProgress), { signal });
  } catch (error) {
    const side = ofSource || isMismatch(error) || diedSilently(error) ? 'source' : 'destination';
    throw failureOf(transfer, side, descriptor, error);
  } finally {
    // Also stops the source if the destination gave up, or had it all along and did not read.
    current
      ?.off('error', failed)
      .on('error', () => undefined)
      .destroy();
  }
}

function counted(source: Readable, onProgress: (bytes: number) => void): Readable {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      onProgress(bytes);
      done(null, chunk);
    },
  });
  return pipeline(source, counter, () => undefined);
}

/** Tells of progress in steps. */
function progressOf({ emit }: Transfer, descriptor: Descriptor): (bytes: number) => void {
  let told = 0;
  return (bytes) => {
    if (Math.abs(bytes - told) < progressStep && bytes !== descriptor.size) return;
    if (bytes === told) return;
    told = bytes;
    emit({ kind: 'progress', descriptor, bytes });
  };
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

/** A stream that ended without its end. */
function diedSilently(error: unknown): boolean {
  return codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE';
}

function isMismatch(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'DIGEST_MISMATCH' || code === 'SIZE_MISMATCH';
}
