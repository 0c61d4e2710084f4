import type { MessagePort } from 'node:worker_threads';
import { NearPlacer, type Placed, type Placer } from '../apply/placer.ts';
import type { ApplyOptions } from '../contract.ts';
import { LayerError } from '../error.ts';
import { Credit } from './credit.ts';
import { Inbox } from './inbox.ts';
import { type FlatError, flatten, unflatten } from './messages.ts';

type ToPlacer = { readonly kind: 'chunk'; readonly bytes: Uint8Array } | { readonly kind: 'end' };

type FromPlacer =
  /** The memory of a chunk comes back, to be filled again. */
  | { readonly kind: 'credit'; readonly memory: ArrayBuffer }
  | { readonly kind: 'placed'; readonly placed: Placed }
  | { readonly kind: 'failed'; readonly error: FlatError };

const pieceSize = 1 << 20;

/** Gives a layer's plain bytes to a thread that does `placeFrom` at the other end of a port. */
export class FarPlacer implements Placer {
  readonly #port: MessagePort;
  readonly #credit = new Credit();
  readonly #free: ArrayBuffer[] = [];
  readonly #placed = Promise.withResolvers<Placed>();
  /** Memory that may be filled by others, and is sent as it is. */
  #lent: Buffer<ArrayBuffer> | undefined;
  /** Bytes of memory sent for which there has not been room yet. */
  #unpaid = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#placed.promise.catch(() => {}); // whoever does not finish has not asked
    port.on('message', (message: FromPlacer) => this.#receive(message));
    port.on('close', () => this.#fail(new LayerError('WORKER_FAILED', 'the thread that wrote a layer ended')));
  }

  memory(): Buffer<ArrayBuffer> {
    this.#lent ??= Buffer.from(this.#free.pop() ?? new ArrayBuffer(pieceSize));
    return this.#lent;
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += pieceSize) this.#send(bytes.subarray(at, at + pieceSize));
  }

  async room(): Promise<void> {
    const bytes = this.#unpaid;
    this.#unpaid = 0;
    await this.#credit.spend(bytes);
  }

  finish(): Promise<Placed> {
    this.#post({ kind: 'end' });
    return this.#placed.promise;
  }

  /** The other thread stops where it is, if it has not come to its end. */
  close(): void {
    this.#port.close();
  }

  #send(bytes: Buffer): void {
    const { buffer } = this.memory();
    this.#lent = undefined;
    const piece = new Uint8Array(buffer, 0, bytes.length);
    if (bytes.buffer !== buffer) piece.set(bytes);
    this.#unpaid += buffer.byteLength;
    this.#post({ kind: 'chunk', bytes: piece }, [buffer]);
  }

  #post(message: ToPlacer, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #receive(message: FromPlacer): void {
    switch (message.kind) {
      case 'credit':
        this.#free.push(message.memory);
        this.#credit.grant(message.memory.byteLength);
        break;
      case 'placed':
        this.#placed.resolve(message.placed);
        break;
      case 'failed':
        this.#fail(unflatten(message.error));
        break;
    }
  }

  #fail(error: Error): void {
    this.#credit.fail(error);
    this.#placed.reject(error);
  }
}

/** Places what a `FarPlacer` sends, until its port is closed; what fails is told there alone. */
export async function placeFrom(
  port: MessagePort,
  dir: string,
  options: ApplyOptions,
  checkIn: () => void,
): Promise<void> {
  const post = (message: FromPlacer, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  const inbox = new Inbox((chunk) => {
    const memory = chunk.buffer as ArrayBuffer;
    post({ kind: 'credit', memory }, [memory]);
  });
  port.on('message', (message: ToPlacer) => {
    if (message.kind === 'chunk') inbox.push(message.bytes);
    else inbox.end();
  });
  port.on('close', () => inbox.fail(new LayerError('WORKER_FAILED', 'the job was stopped')));
  let placer: NearPlacer | undefined;
  try {
    placer = new NearPlacer(dir, options);
    for await (const chunk of inbox) {
      checkIn();
      placer.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    }
    post({ kind: 'placed', placed: placer.finish() });
  } catch (error) {
    post({ kind: 'failed', error: flatten(error) });
  } finally {
    placer?.close();
    port.close();
  }
}
