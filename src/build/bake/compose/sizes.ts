import { FunctionFailure } from '../hcl/limits.ts';

const units = 'bkmgtp';

/** `64m`, `1.5 GiB`, `1024`: bytes. @throws FunctionFailure */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp])?(?:i?b)?$/.exec(text.trim().toLowerCase());
  if (match === null) throw new FunctionFailure(`${JSON.stringify(text)} is not a size, such as 64m`);
  return Math.floor(Number(match[1]) * 1024 ** Math.max(0, units.indexOf(match[2] ?? 'b')));
}

/** With four digits at most, as docker writes it: `128MiB`. */
export function formatMemory(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1024 && unit < names.length - 1; unit++) size /= 1024;
  return `${Number(size.toPrecision(4))}${names[unit]}`;
}
