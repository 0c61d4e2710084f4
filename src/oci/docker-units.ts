const decimalUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** A number of bytes as docker lists it: decimal units, three significant digits, no space (`1.98MB`). */
export function formatSize(bytes: number): string {
  return format(bytes, { base: 1000, units: decimalUnits, digits: 3 });
}

/** A number of bytes in binary units, four significant digits (`512MiB`). */
export function formatBinarySize(bytes: number): string {
  return format(bytes, { base: 1024, units: binaryUnits, digits: 4 });
}

interface SizeStyle {
  readonly base: number;
  readonly units: readonly string[];
  readonly digits: number;
}

function format(bytes: number, { base, units, digits }: SizeStyle): string {
  let value = bytes;
  let unit = 0;
  // Rounding first keeps 999.9 kB from showing as docker's `1e+03kB`.
  while (Number(value.toPrecision(digits)) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

/** Bytes of docker's notation for memory and sizes: `512m`, `2GB`, `1.5 GiB`, `1024`; undefined for what is no size. All units are binary, as docker has it. */
export function readSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const power = unit === '' ? 0 : 'kmgtp'.indexOf(unit.toLowerCase()) + 1;
  const bytes = Math.floor(Number(amount) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Milliseconds. */
const durationUnits: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of Go's notation for durations (`1h30m`, `500ms`, `0`), as docker's flags take it; undefined for what is none, or is negative. */
export function readDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(amount) * (durationUnits[unit ?? ''] ?? 0);
  }
  return total;
}
