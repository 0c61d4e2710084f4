import type { IncomingMessage } from 'node:http';

export interface BodyTap {
  /** So many bytes reach the handler; then `strike` is called, and nothing more comes. */
  readonly after: number;
  /** `drain` reads and forgets what the client still sends; without it the client is stuck. */
  readonly strike: (drain: () => void) => void;
}

/**
 * Stops a request's body after a number of bytes, to the byte: what comes from the parser passes `push`. The parser stops
 * reading the connection, so that the client notices as with a server that takes nothing more.
 */
export function tapBody(request: IncomingMessage, tap: BodyTap): void {
  const push = request.push.bind(request);
  const read = request._read.bind(request);
  let left = tap.after;
  let stopped = false;
  let draining = false;
  const drain = (): void => {
    draining = true;
    read(0);
  };
  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    whenTaken(request, () => {
      breakBody(request);
      tap.strike(drain);
    });
  };
  request._read = (size) => {
    if (left > 0 || draining) read(size);
    else stop();
  };
  request.push = (chunk: Buffer | null, ...more) => {
    if (draining) return true;
    if (chunk === null) return left > 0 ? push(chunk, ...more) : false;
    const part = chunk.subarray(0, left);
    left -= part.length;
    const wanted = part.length > 0 && push(part);
    if (left > 0) return wanted;
    stop();
    return false;
  };
}

/** Waits until the handler took what was pushed, which breaking the body would lose; not for ever, since it may not want it. */
function whenTaken(request: IncomingMessage, next: () => void, rounds = 100): void {
  setTimeout(() => {
    if (request.readableLength > 0 && rounds > 0) whenTaken(request, next, rounds - 1);
    else next();
  }, 1);
}

/** Ends a body for its handler as a broken connection does, and leaves the connection alone. */
function breakBody(request: IncomingMessage): void {
  request._destroy = (error, done) => done(error);
  request.on('error', () => {});
  request.destroy(new Error('the connection broke'));
}
