import { UsageError } from '../errors.ts';
import { readDuration } from '../oci/index.ts';

const hour = 3600;
const day = 24 * hour;

/** A span of time in words, by the rules docker uses for CREATED and STATUS: `5 weeks`, `About a minute`. Takes milliseconds. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.round(milliseconds / 1000 / hour);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(seconds / day / 365)} years`;
}

/** How long ago something was, as docker's CREATED column says it; `N/A` where no time (or 1970's first second) is known. */
export function timeAgo(created: Date | undefined, now: Date = new Date()): string {
  if (created === undefined || !(created.getTime() > 0)) return 'N/A';
  return `${humanDuration(Math.max(0, now.getTime() - created.getTime()))} ago`;
}

/** `2024-01-01 00:00:00 +0000 UTC`, as Go and so docker's CREATED AT writes a time; empty where none is known. */
export function formatGoTime(time: Date | undefined): string {
  return time === undefined ? '' : `${time.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** Elapsed time of a step: `0.3s`, `12.0s`, `3m04s`. Takes milliseconds. */
export function formatElapsed(milliseconds: number): string {
  const tenths = Math.max(0, Math.round(milliseconds / 100));
  if (tenths < 6000) return `${Math.trunc(tenths / 10)}.${tenths % 10}s`;
  const seconds = Math.round(tenths / 10);
  const minutes = Math.trunc(seconds / 60);
  const rest = `${String(seconds % 60).padStart(2, '0')}s`;
  return minutes < 60
    ? `${minutes}m${rest}`
    : `${Math.trunc(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m${rest}`;
}

/**
 * Milliseconds from Go's notation for durations (`1h30m`, `500ms`), as docker's flags take it.
 * @throws UsageError
 */
export function parseDuration(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds === undefined)
    throw new UsageError(`invalid duration: '${text}'`, { hint: 'Durations look like 30s, 1h30m or 500ms.' });
  return milliseconds;
}
