import { Semaphore } from '../../oci/index.ts';
import { type Clock, systemClock } from '../http/clock.ts';
import { compose, type Dispatch } from '../http/dispatch.ts';
import { HostGate, retry } from '../http/retry.ts';
import { Lanes } from './lanes.ts';
import { MirrorHealth } from './mirror-health.ts';
import { SchemeProbe } from './scheme-probe.ts';
import { connectionsPerHost } from '../http/agents.ts';
import { openTransport, type TransportOptions } from '../http/transport.ts';

const usualUploads = 4;

export interface SessionOptions extends TransportOptions {
  /** Tries per request; 6 unless given. */
  readonly attempts?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Blobs larger than this come by several connections; 64 MiB unless given. Bytes. */
  readonly parallelFrom?: number | undefined;
  /** Connections for one such blob; 4 unless given, 1 for no more than one. */
  readonly parallelStreams?: number | undefined;
  /** Blobs sent at once; 4 unless given. */
  readonly uploads?: number | undefined;
}

/** What all repositories of a process share: connections, and the gates of hosts that asked us to wait. */
export interface RegistrySession {
  /** One request with retries; no redirects, no credentials. */
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly parallelFrom?: number | undefined;
  readonly parallelStreams?: number | undefined;
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
  const lanes = new Map<string, Lanes>();
  const dispatch = compose(transport.dispatch, [retry({ gate, clock, attempts: options.attempts })]);
  const schemes = new SchemeProbe(dispatch);
  return {
    uploads: new Semaphore(options.uploads ?? usualUploads),
    parallelFrom: options.parallelFrom,
    parallelStreams: options.parallelStreams,
    lanesTo: (host) => {
      const known = lanes.get(host) ?? new Lanes(connectionsPerHost);
      lanes.set(host, known);
      return known;
    },
    dispatch,
    schemes,
    mirrorHealth: new MirrorHealth(dispatch, schemes, clock),
    clock,
    close: () => transport.close(),
  };
}

let shared: RegistrySession | undefined;

/** The session of callers that bring none; its idle connections do not keep the process alive. */
export function sharedSession(): RegistrySession {
  shared ??= openSession();
  return shared;
}
