import { closeSync } from 'node:fs';
import { loadSyscalls } from '../../system/index.ts';
import { ContainerError } from '../error.ts';

/** Message types of rtnetlink(7). */
export const routeMessage = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  newRoute: 24,
} as const;
const creating: ReadonlySet<number> = new Set([routeMessage.newLink, routeMessage.newAddress, routeMessage.newRoute]);
const requestFlags = { request: 1, acknowledge: 4, exclusive: 0x200, create: 0x400 } as const;
const errorMessage = 2;
const headerLength = 16;

/** No such device. */
const ENODEV = 19;

/** The kernel refused what was asked. */
export class RouteError extends ContainerError {
  readonly errno: number;
  constructor(what: string, errno: number) {
    super('NETWORK_FAILED', `the kernel cannot ${what}: errno ${errno}`);
    this.errno = errno;
  }

  get isMissing(): boolean {
    return this.errno === ENODEV;
  }
}

/** Where the kernel is asked about links, addresses and routes of one network: the one that the thread was in when it was opened. */
export class RouteSocket implements Disposable {
  readonly #fd: number;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#fd = loadSyscalls().routeSocket();
  }

  /**
   * Asks for one thing, after what was asked before, and gives the answer's body. The kernel answers before the sending is over
   * (rtnetlink does all in it), so nothing is waited for.
   * @param what for people: what it cannot do
   * @throws RouteError
   */
  ask(type: number, what: string, body: Buffer): Promise<Buffer> {
    const answer = this.#last.then(() => this.#ask(type, what, body));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #ask(type: number, what: string, body: Buffer): Promise<Buffer> {
    const calls = loadSyscalls();
    await calls.send(this.#fd, message(type, ++this.#sequence, body));
    const answer = calls.receive(this.#fd);
    const sequence = answer.length < headerLength + 4 ? undefined : answer.readUInt32LE(8);
    if (sequence !== this.#sequence) throw new RouteError(what, 0);
    const errno = answer.readUInt16LE(4) === errorMessage ? -answer.readInt32LE(headerLength) : 0;
    if (errno !== 0) throw new RouteError(what, errno);
    return answer.subarray(headerLength);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function message(type: number, sequence: number, body: Buffer): Buffer {
  const { request, acknowledge, exclusive, create } = requestFlags;
  const isQuestion = type === routeMessage.getLink;
  const makes = creating.has(type);
  const header = Buffer.alloc(headerLength);
  header.writeUInt32LE(headerLength + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(request | (isQuestion ? 0 : acknowledge) | (makes ? create | exclusive : 0), 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/** An attribute with a value of its own, or with others in it. */
export function attribute(type: number, ...values: readonly Buffer[]): Buffer {
  const value = Buffer.concat(values);
  const result = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  result.writeUInt16LE(4 + value.length, 0);
  result.writeUInt16LE(type, 2);
  value.copy(result, 4);
  return result;
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'latin1');
}

export function word(value: number): Buffer {
  const result = Buffer.alloc(4);
  result.writeUInt32LE(value);
  return result;
}
