import type { MessagePort } from 'node:worker_threads';
import { LayerError } from '../error.ts';
import { Inbox } from './inbox.ts';
import { type FlatError, flatten, unflatten } from './messages.ts';

/** Bytes in the memory that all see; where all of that is in use, a copy of them. */
type Piece = { readonly slot: number; readonly length: number } | { readonly bytes: Uint8Array };

type ToReader =
  | { readonly kind: 'memory'; readonly memory: SharedArrayBuffer }
  | { readonly kind: 'piece'; readonly piece: Piece }
  | { readonly kind: 'end' };

type FromReader =
  | { readonly kind: 'dealt-with'; readonly slot: number }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: FlatError };

const slotSize = 1 << 20;
const slotCount = 5;
/** Of a layer that all have read to its end: the next one gets it, since it would be freed only when each thread has found it dead. */
let spare: SharedArrayBuffer | undefined;

/** Shows bytes to other threads, which do `readPieces` at the other ends of the ports, in memory that all of them see. */
export class PieceWriter {
  readonly #ports: readonly MessagePort[];
  readonly #memory: SharedArrayBuffer;
  readonly #slots: readonly Buffer[];
  readonly #free: number[];
  /** How many readers each slot waits for. */
  readonly #readers: number[];
  readonly #results: readonly PromiseWithResolvers<unknown>[];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(ports: readonly MessagePort[]) {
    const memory = spare ?? new SharedArrayBuffer(slotCount * slotSize);
    spare = undefined;
    this.#memory = memory;
    this.#ports = ports;
    this.#slots = slotsOf(memory);
    this.#free = [...this.#slots.keys()];
    this.#readers = this.#slots.map(() => 0);
    this.#results = ports.map((port) => {
      const result = Promise.withResolvers<unknown>();
      result.promise.catch(() => {}); // who does not come to the end does not ask
      let isDone = false;
      port.on('message', (message: FromReader) => {
        isDone ||= message.kind === 'result';
        this.#receive(message, result);
      });
      // One that has come to its end closes its port, while others may still be at work.
      port.on('close', () => {
        if (!isDone) this.#fail(new LayerError('WORKER_FAILED', 'a thread that worked on a layer ended'));
      });
      return result;
    });
    this.#post({ kind: 'memory', memory });
  }

  /** Where the next bytes may be put for them not to be copied; undefined where there is no room. */
  memory(): Buffer | undefined {
    return this.#slots[this.#free.at(-1) ?? -1];
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += slotSize) this.#show(bytes.subarray(at, at + slotSize));
  }

  /** Waits for a free slot. @throws what went wrong in a reader */
  async room(): Promise<void> {
    while (this.#free.length === 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What the readers made of it, in the order of their ports. */
  async end(): Promise<unknown[]> {
    this.#post({ kind: 'end' });
    const results = await Promise.all(this.#results.map(({ promise }) => promise));
    spare = this.#memory;
    return results;
  }

  /** Readers that have not come to their end stop where they are. */
  close(): void {
    for (const port of this.#ports) port.close();
  }

  #show(bytes: Buffer): void {
    const slot = this.#free.pop();
    const memory = this.#slots[slot ?? -1];
    if (slot === undefined || memory === undefined) return this.#post({ kind: 'piece', piece: { bytes } });
    if (bytes.buffer !== memory.buffer) memory.set(bytes);
    this.#readers[slot] = this.#ports.length;
    this.#post({ kind: 'piece', piece: { slot, length: bytes.length } });
  }

  #post(message: ToReader): void {
    for (const port of this.#ports) port.postMessage(message);
  }

  #receive(message: FromReader, { resolve }: PromiseWithResolvers<unknown>): void {
    switch (message.kind) {
      case 'dealt-with':
        this.#dealtWith(message.slot);
        break;
      case 'result':
        resolve(message.result);
        break;
      case 'failed':
        this.#fail(unflatten(message.error));
        break;
    }
  }

  #dealtWith(slot: number): void {
    const left = (this.#readers[slot] ?? 0) - 1;
    this.#readers[slot] = left;
    if (left > 0) return;
    this.#free.push(slot);
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#results) reject(error);
    this.#wake?.();
  }
}

/** Takes what a `PieceWriter` shows. */
export interface PieceReader {
  /** The bytes are only good during the call. */
  write(bytes: Buffer): void;
  /** What the writer hears at the end. */
  finish(): unknown;
  close?(): void;
}

/** Reads until the end, or until the port is closed; what fails is told there alone. */
export async function readPieces(port: MessagePort, open: () => PieceReader): Promise<void> {
  const post = (message: FromReader): void => port.postMessage(message);
  const inbox = new Inbox<Piece>((piece) => 'slot' in piece && post({ kind: 'dealt-with', slot: piece.slot }));
  let slots: readonly Buffer[] = [];
  port.on('message', (message: ToReader) => {
    if (message.kind === 'memory') slots = slotsOf(message.memory);
    else if (message.kind === 'piece') inbox.push(message.piece);
    else inbox.end();
  });
  port.on('close', () => inbox.fail(new LayerError('WORKER_FAILED', 'the job was stopped')));
  let reader: PieceReader | undefined;
  try {
    reader = open();
    for await (const piece of inbox) reader.write(bytesOf(piece, slots));
    post({ kind: 'result', result: reader.finish() });
  } catch (error) {
    post({ kind: 'failed', error: flatten(error) });
  } finally {
    reader?.close?.();
    port.close();
  }
}

function bytesOf(piece: Piece, slots: readonly Buffer[]): Buffer {
  if ('slot' in piece) return (slots[piece.slot] ?? Buffer.alloc(0)).subarray(0, piece.length);
  return Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength);
}

function slotsOf(memory: SharedArrayBuffer): Buffer[] {
  return Array.from({ length: slotCount }, (_, slot) => Buffer.from(memory, slot * slotSize, slotSize));
}
