import { hidden } from './escape.ts';

/** A value as JSON that can be shown on a terminal; it means the same. */
export function toJson(value: unknown): string {
  // JSON.stringify itself escapes the other control characters.
  return JSON.stringify(value, undefined, 2).replace(
    hidden,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
