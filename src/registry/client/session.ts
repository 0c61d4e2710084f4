import { Semaphore } from '../../oci/index.ts';
import { type Clock, systemClock } from '../http/clock.ts';
import { type RetryPolicy, retryPolicy } from '../http/backoff.ts';
import { Deadline, endAt } from '../http/deadline.ts';
import { compose, type Dispatch } from '../http/dispatch.ts';
import { HostGate, retry } from '../http/retry.ts';
import { Lanes } from './lanes.ts';
import { MirrorHealth } from './mirror-health.ts';
import { SchemeProbe } from './scheme-probe.ts';
import { connectionsPerHost } from '../http/agents.ts';
import { openTransport, type TransportOptions } from '../http/transport.ts';

const usualUploads = 4;

/** How blobs come. */
export interface TransferNumbers {
  /** At once, of a copy. */
  readonly downloads: number;
  /** Larger blobs come by several connections, in pieces; bytes. */
  readonly parallelFrom: number;
  readonly parallelStreams: number;
  readonly pieceSize: number;
}

const MiB = 1024 * 1024;

function transferNumbers(options: SessionOptions): TransferNumbers {
  return {
    downloads: options.downloads ?? 6,
    parallelFrom: options.parallelFrom ?? 64 * MiB,
    parallelStreams: options.parallelStreams ?? 5,
    pieceSize: options.pieceSize ?? 2 * MiB,
  };
}

/** As RegistrySettings says of each. */
export interface SessionOptions extends TransportOptions {
  /** As RegistrySettings has them. */
  readonly attempts?: number | undefined;
  readonly retryDelay?: number | undefined;
  readonly retryMaxDelay?: number | undefined;
  readonly maxRetryAfter?: number | undefined;
  /** Milliseconds for all that is asked through this session. */
  readonly timeout?: number | undefined;
  readonly downloads?: number | undefined;
  readonly uploads?: number | undefined;
  readonly parallelFrom?: number | undefined;
  readonly parallelStreams?: number | undefined;
  readonly pieceSize?: number | undefined;
}

/** What all repositories of a process share: connections, and the gates of hosts that asked us to wait. */
export interface RegistrySession {
  /** One request with retries; no redirects, no credentials. */
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly transfers: TransferNumbers;
  readonly policy: RetryPolicy;
  /** Lets so many uploads go on at once. */
  readonly uploads: Semaphore;
  /** Which mirrors answer, and which protocol insecure hosts speak. */
  readonly mirrorHealth: MirrorHealth;
  readonly schemes: SchemeProbe;
  /** Who has which connections to a host. */
  lanesTo(host: string): Lanes;
  close(): Promise<void>;
}

export function openSession(options: SessionOptions = {}): RegistrySession {
  const clock = options.clock ?? systemClock;
  const transport = openTransport(options);
  const gate = new HostGate(clock);
  const policy = retryPolicy(options);
  const deadline = options.timeout === undefined ? undefined : new Deadline(options.timeout);
  const layers = [retry({ gate, clock, policy }), ...(deadline === undefined ? [] : [endAt(deadline)])];
  const lanes = new Map<string, Lanes>();
  const dispatch = compose(transport.dispatch, layers);
  const schemes = new SchemeProbe(dispatch);
  return {
    uploads: new Semaphore(options.uploads ?? usualUploads),
    transfers: transferNumbers(options),
    lanesTo: (host) => {
      const known = lanes.get(host) ?? new Lanes(options.connections ?? connectionsPerHost);
      lanes.set(host, known);
      return known;
    },
    dispatch,
    schemes,
    mirrorHealth: new MirrorHealth(dispatch, schemes, clock),
    clock,
    policy,
    close: () => {
      deadline?.clear();
      return transport.close();
    },
  };
}

let shared: RegistrySession | undefined;

/** The session of callers that bring none; its idle connections do not keep the process alive. */
export function sharedSession(): RegistrySession {
  shared ??= openSession();
  return shared;
}
