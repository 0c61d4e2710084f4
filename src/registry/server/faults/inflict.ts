import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Fault, FaultPoint } from './fault.ts';
import { changedAnswer } from './changed-answer.ts';
import { type DirectAnswer, directAnswer, muteAnswer, tapAnswer } from './tap-answer.ts';
import { tapBody } from './tap-body.ts';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** One request and who would answer it. */
export interface Victim {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly handle: RequestListener;
  /** Keeps the connections on which nothing moves any more. */
  readonly stalled: Set<Socket>;
}

/** What was written is on its way when a connection is reset, so that the other side gets it; milliseconds. */
const flushTime = 10;

/** Lets a fault happen to a request. */
export function inflict(fault: Fault, victim: Victim): void {
  const { request, response, handle } = victim;
  switch (fault.kind) {
    case 'drop':
      return strike(fault, victim, () => {
        setTimeout(() => dropConnection(request.socket, fault.how), flushTime);
      });
    case 'stall':
      return strike(fault, victim, () => stall(request.socket, victim.stalled));
    case 'status': {
      const direct = directAnswer(response);
      return strike(fault, victim, (drain) => {
        drain();
        sendStatus(direct, fault);
      });
    }
    case 'delay':
      setTimeout(() => handle(request, response), fault.milliseconds);
      return;
    case 'redirect': {
      const location = fault.to.replaceAll('{path}', request.url ?? '/');
      return sendStatus(directAnswer(response), { status: fault.status, headers: { location } });
    }
    case 'ignore-range':
      delete request.headers.range;
      return handle(request, response);
    case 'expire-token':
    case 'lose-session':
      // the plan keeps these in mind; here the request only happens
      return handle(request, response);
    case 'headers':
    case 'corrupt':
    case 'shorten':
    case 'lengthen':
    case 'encode':
    case 'wrong-range':
    case 'move-session':
      tapAnswer(response, changedAnswer(fault, request));
      return handle(request, response);
  }
}

interface Place {
  readonly at: FaultPoint;
  readonly after: number;
}

/** Runs `deed` at its place in the life of a request. */
function strike({ at, after }: Place, victim: Victim, deed: (drain: () => void) => void): void {
  const { request, response, handle } = victim;
  const nothing = (): void => {};
  if (at === 'start') return deed(nothing);
  if (at === 'body') {
    tapBody(request, {
      after,
      strike: (drain) => {
        muteAnswer(response, nothing);
        deed(drain);
      },
    });
  }
  if (at === 'done') muteAnswer(response, () => deed(nothing));
  if (at === 'answer') tapAnswer(response, { hold: { after, strike: () => deed(nothing) } });
  handle(request, response);
}

function stall(socket: Socket, stalled: Set<Socket>): void {
  // the server's own patience would end it
  socket.setTimeout(0);
  stalled.add(socket);
  socket.once('close', () => stalled.delete(socket));
}

export function dropConnection(socket: Socket, how: 'reset' | 'end'): void {
  // a TLS socket has no reset of its own
  if (how === 'end' || 'encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

export interface StatusAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Bytes after `body`. */
  readonly filler?: number;
}

/** Answers in a registry's place. */
export function sendStatus(direct: DirectAnswer, { status, headers = {}, body = '', filler = 0 }: StatusAnswer): void {
  const content = Buffer.concat([Buffer.from(body), Buffer.alloc(filler, 'x')]);
  const given: OutgoingHttpHeaders = 'transfer-encoding' in headers ? {} : { 'content-length': content.length };
  for (const [name, value] of Object.entries(headers)) given[name] = typeof value === 'string' ? value : [...value];
  direct.writeHead(status, given);
  direct.end(content);
}
