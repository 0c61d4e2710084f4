import { UsageError } from '../errors.ts';

const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** A number of bytes as docker lists it: decimal units, three significant digits, no space (`1.98MB`). */
export function formatSize(bytes: number): string {
  return format(bytes, 1000, decimalUnits, 3);
}

/** A number of bytes in binary units, four significant digits (`512MiB`). */
export function formatBinarySize(bytes: number): string {
  return format(bytes, 1024, binaryUnits, 4);
}

function format(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  // Rounding first keeps 999.9 kB from showing as docker's `1e+03kB`.
  while (Number(value.toPrecision(digits)) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

/**
 * Bytes from docker's notation for memory and sizes: `512m`, `2GB`, `1.5gib`, plain bytes. Units are binary, as docker has it.
 * @throws UsageError
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$/i.exec(text.trim());
  const power = match === null ? -1 : ['', 'k', 'm', 'g', 't', 'p'].indexOf((match[2] ?? '').toLowerCase());
  const bytes = match === null ? Number.NaN : Math.floor(Number(match[1]) * 1024 ** power);
  if (!Number.isSafeInteger(bytes))
    throw new UsageError(`invalid size: '${text}'`, { hint: 'Sizes look like 512m, 2g or 1048576.' });
  return bytes;
}
