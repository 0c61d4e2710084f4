import { DockerfileError } from '../error.ts';
import { quote } from '../quote.ts';

/** Nanoseconds of each unit. */
const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Nanoseconds of a duration such as `1m30s` (Go's time.ParseDuration).
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const part = /(\d+\.?\d*|\.\d+)([^\d.]*)/y;
  let sum = 0;
  while (part.lastIndex < body.length) {
    const match = part.exec(body);
    if (match === null) throw invalid(`time: invalid duration ${quote(text)}`);
    const [, amount = '', unit = ''] = match;
    if (unit === '') throw invalid(`time: missing unit in duration ${quote(text)}`);
    const size = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (size === undefined) throw invalid(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`);
    sum += Number(amount) * size;
  }
  // Go counts in 63 bits.
  if (body === '' || sum > 2 ** 63) throw invalid(`time: invalid duration ${quote(text)}`);
  return sign * Math.trunc(sum);
}

/** Nanoseconds as Go prints a duration: `1m30s`, `1.5s`, `300ms`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  for (const [unit, size] of [
    ['ns', 1],
    ['µs', 1e3],
    ['ms', 1e6],
  ] as const) {
    if (nanoseconds < size * 1000) return `${nanoseconds / size}${unit}`;
  }
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor(nanoseconds / 60e9) % 60;
  const seconds = `${(nanoseconds % 60e9) / 1e9}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
