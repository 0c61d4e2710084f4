import { createHash } from 'node:crypto';

const hashed = /^hash:[0-9a-f]{16}$/;

/**
 * The parts of a key as they may leave this machine: each value hashed with its name. A miss elsewhere can still say which part
 * differs; commands, variables and paths are not told.
 */
export function hashParts(parts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, hashPart(name, value)]));
}

/** What was imported is hashed already. */
function hashPart(name: string, value: string): string {
  if (hashed.test(value)) return value;
  return `hash:${createHash('sha256').update(`${name}\0${value}`).digest('hex').slice(0, 16)}`;
}
