/**
 * A JSON string in its one canonical form: no escape that is not needed, except that what nobody can see is `\u…`.
 * A string with bytes that are no UTF-8 stays as it is, as do halves of surrogate pairs: neither can be written otherwise.
 */
export function formatJsonString(source: string): string {
  const value = JSON.parse(source) as string;
  if (!value.isWellFormed() || !source.isWellFormed()) return source;
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Z}]/gu, (found) => (found === ' ' ? ' ' : escaped(found)));
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
