/** What templates work on: JSON, and `undefined` for what is not there. */
export type Value = string | number | boolean | null | undefined | readonly Value[] | { readonly [key: string]: Value };

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isRecord(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** Go's truth: false, 0, nil, and anything empty are false. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (isRecord(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as Go's `%v` prints it: `[a b]`, `map[k:v]` with sorted keys, `<no value>` for what is not there. */
export function toText(value: Value): string {
  if (value === undefined || value === null) return '<no value>';
  if (isList(value)) return `[${value.map(toText).join(' ')}]`;
  if (isRecord(value))
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${key}:${toText(item)}`)
      .join(' ')}]`;
  return String(value);
}

/** Entries in the order in which templates visit them: by key, in byte order. */
export function sortedEntries(value: { readonly [key: string]: Value }): [string, Value][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
