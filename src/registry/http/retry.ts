import { backoff, defaultAttempts, isTransientStatus, retryAfter } from './backoff.ts';
import { discard } from './body.ts';
import { type Clock, systemClock } from './clock.ts';
import type { HttpRequest, HttpResponse, Layer } from './dispatch.ts';
import { attemptsFor } from './network-error.ts';

/**
 * Until when each host wants to be left alone. One gate is shared by all requests of a process to a host: when one of
 * eight parallel requests is told to wait, the other seven must not go on hammering.
 */
export class HostGate {
  readonly #until = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  close(host: string, milliseconds: number): void {
    const until = this.#clock.now() + milliseconds;
    if (until > (this.#until.get(host) ?? 0)) this.#until.set(host, until);
  }

  /** Waits until the host may be asked; those who waited start apart from each other, within 250 ms. */
  async pass(host: string, signal?: AbortSignal): Promise<void> {
    let until = this.#until.get(host);
    while (until !== undefined && until > this.#clock.now()) {
      await this.#clock.sleep(until - this.#clock.now() + this.#clock.random() * 250, signal);
      until = this.#until.get(host);
    }
    this.#until.delete(host);
  }
}

export interface RetryOptions {
  readonly gate: HostGate;
  readonly attempts?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Repeats what failed for a reason that passes: a broken connection, 429, 5xx. The last answer or error is passed on as
 * it came. A request with `attempts: 1` is not repeated, but still waits at the gate and closes it for others.
 */
export function retry(options: RetryOptions): Layer {
  const { gate, attempts = defaultAttempts, clock = systemClock } = options;
  return (next) => async (request) => {
    const limit = request.attempts ?? attempts;
    for (let attempt = 1; ; attempt++) {
      await gate.pass(request.url.host, request.signal);
      const outcome = await attemptOnce(next, request);
      if ('error' in outcome) {
        request.signal?.throwIfAborted();
        if (attempt >= attemptsFor(outcome.error, limit)) throw outcome.error;
        await clock.sleep(backoff(attempt, clock), request.signal);
        continue;
      }
      const { response } = outcome;
      if (!isTransientStatus(response.status)) return response;
      const asked = retryAfter(response, clock);
      if (asked !== undefined && Number.isFinite(asked)) gate.close(request.url.host, asked);
      if (attempt >= limit || asked === Number.POSITIVE_INFINITY) return response;
      await discard(response);
      if (asked === undefined) await clock.sleep(backoff(attempt, clock), request.signal);
    }
  };
}

type Outcome = { readonly response: HttpResponse } | { readonly error: unknown };

async function attemptOnce(
  next: (request: HttpRequest) => Promise<HttpResponse>,
  request: HttpRequest,
): Promise<Outcome> {
  try {
    return { response: await next(request) };
  } catch (error) {
    return { error };
  }
}
