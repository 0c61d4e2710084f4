import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Operation, FaultRule } from './fault.ts';
import { matchesGlob } from './glob.ts';
import { operationOf } from './operation.ts';
import { dropConnection, inflict, type RequestListener, sendStatus } from './inflict.ts';
import { directAnswer } from './tap-answer.ts';

/** Stands between a server's connections and its handler. */
export interface RequestFilter {
  filter(handle: RequestListener): RequestListener;
  /** Called once, with the server whose connections are to be seen. */
  attach(server: SocketSource): void;
  /** Lets go of all connections that it holds up. */
  release(): void;
}

/** A server of either protocol. */
export interface SocketSource {
  on(event: 'connection', listener: (socket: Socket) => void): unknown;
}

export interface InflictedFault {
  readonly operation: Operation | 'connection';
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly fault: FaultRule['fault'];
}

export interface FaultPlanOptions {
  /** Hears of each fault when it strikes. */
  readonly onFault?: ((event: InflictedFault) => void) | undefined;
}

interface Count {
  seen: number;
  struck: number;
}

/** Faults on purpose, for one server: the first rule that applies to a request has it. */
export class FaultPlan implements RequestFilter {
  readonly #rules: readonly FaultRule[];
  readonly #counts: Map<FaultRule, Count>;
  readonly #onFault: FaultPlanOptions['onFault'];
  readonly #refused = new Map<string, string>();
  readonly #lost = new Set<string>();
  readonly #stalled = new Set<Socket>();

  constructor(rules: readonly FaultRule[], { onFault }: FaultPlanOptions = {}) {
    this.#rules = rules;
    this.#counts = new Map(rules.map((rule) => [rule, { seen: 0, struck: 0 }]));
    this.#onFault = onFault;
  }

  attach(server: SocketSource): void {
    server.on('connection', (socket) => {
      const rule = this.#rules.find((each) => each.on.includes('connection') && this.#applies(each));
      if (rule === undefined) return;
      this.#onFault?.({ operation: 'connection', method: '', path: '', fault: rule.fault });
      dropConnection(socket, 'reset');
    });
  }

  filter(handle: RequestListener): RequestListener {
    return (request, response) => {
      const { method = '', url = '' } = request;
      const path = url.split('?', 1)[0] ?? '';
      const operation = operationOf(method, path);
      const size = Number(request.headers['content-length'] ?? 0);
      const rule = this.#rules.find((each) => matches(each, { operation, method, path, size }) && this.#applies(each));
      if (rule !== undefined) {
        this.#onFault?.({ operation, method, path, fault: rule.fault });
        this.#remember(rule, { request, path });
      }
      if (this.#refuses(request, response, path)) return;
      if (rule === undefined) handle(request, response);
      else inflict(rule.fault, { request, response, handle, stalled: this.#stalled });
    };
  }

  release(): void {
    for (const socket of this.#stalled) socket.destroy();
  }

  /** True for those of a rule's matching requests that have its fault; counts them. */
  #applies(rule: FaultRule): boolean {
    const count = this.#counts.get(rule);
    if (count === undefined) return false;
    count.seen++;
    if (count.seen <= rule.skip || count.struck >= rule.times) return false;
    count.struck++;
    return true;
  }

  #remember({ fault }: FaultRule, { request, path }: { readonly request: IncomingMessage; readonly path: string }) {
    const { authorization } = request.headers;
    if (fault.kind === 'expire-token' && authorization !== undefined) {
      this.#refused.set(authorization, fault.challenge);
    }
    if (fault.kind === 'lose-session') this.#lost.add(path);
  }

  #refuses(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const challenge = this.#refused.get(request.headers.authorization ?? '');
    if (challenge !== undefined) {
      const body = errorBody('UNAUTHORIZED', 'the token has expired');
      sendStatus(directAnswer(response), { status: 401, headers: { 'www-authenticate': challenge }, body });
      return true;
    }
    if (!this.#lost.has(path)) return false;
    sendStatus(directAnswer(response), {
      status: 404,
      body: errorBody('BLOB_UPLOAD_UNKNOWN', 'there is no such upload'),
    });
    return true;
  }
}

interface Asked {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  readonly size: number;
}

function matches(rule: FaultRule, { operation, method, path, size }: Asked): boolean {
  if (size < rule.minSize) return false;
  if (rule.on.length > 0 && !rule.on.includes(operation)) return false;
  if (rule.method !== undefined && rule.method !== method) return false;
  return rule.path === undefined || matchesGlob(rule.path, path);
}

function errorBody(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] });
}
