import { backoff, isTransientStatus, retryAfter, type RetryPolicy, usualPolicy } from './backoff.ts';
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
  readonly #troubles = new Map<string, Trouble>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  close(host: string, milliseconds: number): void {
    const until = this.#clock.now() + milliseconds;
    if (until > (this.#until.get(host) ?? 0)) this.#until.set(host, until);
  }

  /**
   * Notes what came of a request that began at `begun`. Failures of requests that went on at the same time count as one: six of them
   * at once are a moment's trouble, six after each other are not.
   */
  note(host: string, { failed, begun }: { readonly failed: boolean; readonly begun: number }): void {
    if (!failed) {
      this.#troubles.delete(host);
      return;
    }
    const { rounds, last } = this.#troubles.get(host) ?? { rounds: 0, last: Number.NEGATIVE_INFINITY };
    const isNext = begun > last;
    this.#troubles.set(host, { rounds: isNext ? rounds + 1 : rounds, last: isNext ? this.#clock.now() : last });
  }

  /** Whether a host has done nothing but fail for so long that requests to it are not repeated any more. */
  isHopeless(host: string): boolean {
    return (this.#troubles.get(host)?.rounds ?? 0) >= mostRounds;
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

interface Trouble {
  /** Failures one after the other, without anything that went well. */
  readonly rounds: number;
  /** When the last of them was known; milliseconds. */
  readonly last: number;
}

/** Twice what one request takes: a host that failed so often is not asked six times for each of a thousand things more. */
const mostRounds = 12;

export interface RetryOptions {
  readonly gate: HostGate;
  readonly policy?: RetryPolicy | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Repeats what failed for a reason that passes: a broken connection, 429, 5xx. The last answer or error is passed on as
 * it came. A request with `attempts: 1` is not repeated, but still waits at the gate and closes it for others.
 */
export function retry(options: RetryOptions): Layer {
  const { gate, policy = usualPolicy, clock = systemClock } = options;
  return (next) => async (request) => {
    const { host } = request.url;
    for (let attempt = 1; ; attempt++) {
      await gate.pass(host, request.signal);
      const begun = clock.now();
      const outcome = await attemptOnce(next, request);
      const limit = gate.isHopeless(host) ? 1 : (request.attempts ?? policy.attempts);
      if ('error' in outcome) {
        request.signal?.throwIfAborted();
        gate.note(host, { failed: true, begun });
        if (attempt >= attemptsFor(outcome.error, limit)) throw outcome.error;
        await clock.sleep(backoff(attempt, clock, policy), request.signal);
        continue;
      }
      const { response } = outcome;
      const isTransient = isTransientStatus(response.status);
      // who says when to come back is not in trouble
      gate.note(host, { failed: isTransient && response.status !== 429, begun });
      if (!isTransient) return response;
      const asked = retryAfter(response, clock, policy);
      if (asked !== undefined && Number.isFinite(asked)) gate.close(host, asked);
      if (attempt >= limit || asked === Number.POSITIVE_INFINITY) return response;
      await discard(response);
      if (asked === undefined) await clock.sleep(backoff(attempt, clock, policy), request.signal);
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
