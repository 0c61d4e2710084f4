import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Looks at an answer as the registry gives it, and gives another. */
export interface AnswerTap {
  /** Before the headers go out; they can still be changed on `response`. Gives the status to send. */
  readonly head?: (response: ServerResponse, status: number) => number;
  /** Each piece of the body. */
  readonly body?: (chunk: Buffer) => Buffer;
  /** After the last piece. */
  readonly tail?: () => Buffer;
  /** When `after` bytes of the body went out, the rest is held back and `strike` is called. */
  readonly hold?: { readonly after: number; readonly strike: () => void };
}

/** A response past all taps. */
export interface DirectAnswer {
  writeHead(status: number, headers: OutgoingHttpHeaders): void;
  end(body: Buffer | undefined): void;
}

type Callback = (error?: Error | null) => void;

export function directAnswer(response: ServerResponse): DirectAnswer {
  const writeHead = response.writeHead.bind(response);
  const end = response.end.bind(response);
  return { writeHead: (status, headers) => void writeHead(status, headers), end: (body) => void end(body) };
}

/**
 * Puts a tap between a handler and its response. The methods of the one object are replaced, since that object is what
 * handlers have; whatever way they write, it goes through `writeHead`, `write` and `end`.
 */
export function tapAnswer(response: ServerResponse, tap: AnswerTap): void {
  const writeHead = response.writeHead.bind(response) as (status: number) => ServerResponse;
  const write = response.write.bind(response) as (chunk: Buffer, done: Callback) => boolean;
  const end = response.end.bind(response) as (done: Callback) => ServerResponse;
  let left = tap.hold?.after ?? Number.POSITIVE_INFINITY;
  let held = false;
  const hold = (): void => {
    if (held) return;
    held = true;
    tap.hold?.strike();
  };

  response.writeHead = (status: number, ...more: unknown[]) => {
    setHeaders(response, more.at(-1));
    const sent = writeHead(tap.head?.(response, status) ?? status);
    if (left > 0) return sent;
    response.flushHeaders();
    setImmediate(hold);
    return sent;
  };
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(response.statusCode);
  };
  const send = (bytes: Buffer, done: Callback): boolean => {
    // whoever writes more waits for a drain that never comes, as for a client that takes nothing
    if (left === 0) return false;
    if (bytes.length === 0) {
      process.nextTick(done);
      return true;
    }
    const part = bytes.subarray(0, left);
    left -= part.length;
    return write(part, left > 0 ? done : hold) && left > 0;
  };
  response.write = (chunk: unknown, ...more: unknown[]) => {
    begin();
    const bytes = toBuffer(chunk, more[0]);
    return send(tap.body?.(bytes) ?? bytes, callbackOf(more));
  };
  response.end = (...given: unknown[]) => {
    begin();
    const done = callbackOf(given);
    const [chunk, encoding] = given;
    const bytes = chunk === undefined || typeof chunk === 'function' ? Buffer.alloc(0) : toBuffer(chunk, encoding);
    send(Buffer.concat([tap.body?.(bytes) ?? bytes, tap.tail?.() ?? Buffer.alloc(0)]), () => {});
    if (left > 0) end(done);
    return response;
  };
}

/** Swallows an answer; `strike` is called when its handler ends it. */
export function muteAnswer(response: ServerResponse, then: () => void): void {
  response.writeHead = () => response;
  response.write = (_chunk: unknown, ...more: unknown[]) => {
    process.nextTick(callbackOf(more));
    return true;
  };
  response.end = () => {
    then();
    return response;
  };
}

function setHeaders(response: ServerResponse, headers: unknown): void {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return;
  for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
    if (value !== undefined) response.setHeader(name, value);
  }
}

function toBuffer(chunk: unknown, encoding: unknown): Buffer {
  if (typeof chunk !== 'string') return chunk as Buffer;
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
}

function callbackOf(given: readonly unknown[]): Callback {
  return (given.find((argument) => typeof argument === 'function') as Callback | undefined) ?? (() => {});
}
