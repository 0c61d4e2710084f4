import { type Clock, systemClock } from '../http/clock.ts';
import { compose, type Dispatch } from '../http/dispatch.ts';
import { HostGate, retry } from '../http/retry.ts';
import { openTransport, type TransportOptions } from '../http/transport.ts';

export interface SessionOptions extends TransportOptions {
  /** Tries per request; 6 unless given. */
  readonly attempts?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** What all repositories of a process share: connections, and the gates of hosts that asked us to wait. */
export interface RegistrySession {
  /** One request with retries; no redirects, no credentials. */
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  close(): Promise<void>;
}

export function openSession(options: SessionOptions = {}): RegistrySession {
  const clock = options.clock ?? systemClock;
  const transport = openTransport(options);
  const gate = new HostGate(clock);
  return {
    dispatch: compose(transport.dispatch, [retry({ gate, clock, attempts: options.attempts })]),
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
