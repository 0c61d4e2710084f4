import type { Clock } from './clock.ts';
import { header, type HttpResponse } from './dispatch.ts';

/** How often, and after which waits, something is tried that may go well the next time; milliseconds. */
export interface RetryPolicy {
  /** Tries in all, of one request, or of a transfer that does not get on; 6 unless given. */
  readonly attempts: number;
  /** Longest wait after the first failure, doubled with each; 250 unless given. */
  readonly retryDelay: number;
  /** Longest of all such waits; 30,000 unless given. */
  readonly retryMaxDelay: number;
  /** A registry that asks for a longer pause is given up at once; 5 minutes unless given. */
  readonly maxRetryAfter: number;
}

export const usualPolicy: RetryPolicy = {
  attempts: 6,
  retryDelay: 250,
  retryMaxDelay: 30_000,
  maxRetryAfter: 5 * 60_000,
};

export function retryPolicy(given: { readonly [K in keyof RetryPolicy]?: number | undefined }): RetryPolicy {
  return {
    attempts: given.attempts ?? usualPolicy.attempts,
    retryDelay: given.retryDelay ?? usualPolicy.retryDelay,
    retryMaxDelay: given.retryMaxDelay ?? usualPolicy.retryMaxDelay,
    maxRetryAfter: given.maxRetryAfter ?? usualPolicy.maxRetryAfter,
  };
}

const transientStatuses = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 527, 529]);

/** True for an answer that may be another one in a moment. */
export function isTransientStatus(status: number): boolean {
  return transientStatuses.has(status);
}

/** Full jitter: anything up to 250 ms, doubled with each try, at most 30 s; `attempt` counts from 1. */
export function backoff(attempt: number, clock: Clock, policy: RetryPolicy = usualPolicy): number {
  return clock.random() * Math.min(policy.retryMaxDelay, policy.retryDelay * 2 ** (attempt - 1));
}

/**
 * What the registry asks us to wait (RFC 9110 §10.2.3: seconds or a date), in milliseconds; undefined where it does not
 * say, Infinity where it asks for more than we would wait (5 minutes).
 */
export function retryAfter(
  response: HttpResponse,
  clock: Clock,
  policy: RetryPolicy = usualPolicy,
): number | undefined {
  const value = header(response, 'retry-after')?.trim();
  if (value === undefined || value === '') return undefined;
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now();
  if (Number.isNaN(wait)) return undefined;
  return wait > policy.maxRetryAfter ? Number.POSITIVE_INFINITY : Math.max(0, wait);
}
