import type { Clock } from './clock.ts';
import { header, type HttpResponse } from './dispatch.ts';

/** How often one request is tried unless it says otherwise. */
export const defaultAttempts = 6;

const firstDelay = 250;
const longestDelay = 30_000;
/** A registry that asks for a longer pause than this is given up at once; milliseconds. */
const longestRetryAfter = 5 * 60_000;

const transientStatuses = new Set([408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 527, 529]);

/** True for an answer that may be another one in a moment. */
export function isTransientStatus(status: number): boolean {
  return transientStatuses.has(status);
}

/** Full jitter: anything up to 250 ms, doubled with each try, at most 30 s; `attempt` counts from 1. */
export function backoff(attempt: number, clock: Clock): number {
  return clock.random() * Math.min(longestDelay, firstDelay * 2 ** (attempt - 1));
}

/**
 * What the registry asks us to wait (RFC 9110 §10.2.3: seconds or a date), in milliseconds; undefined where it does not
 * say, Infinity where it asks for more than 5 minutes.
 */
export function retryAfter(response: HttpResponse, clock: Clock): number | undefined {
  const value = header(response, 'retry-after')?.trim();
  if (value === undefined || value === '') return undefined;
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - clock.now();
  if (Number.isNaN(wait)) return undefined;
  return wait > longestRetryAfter ? Number.POSITIVE_INFINITY : Math.max(0, wait);
}
