/**
 * Where tables and keys of a TOML text begin. The parser tells values only, and a setting is found again by its line:
 * this looks at the beginnings of lines and knows no values. A text inside a multi-line string that looks like a header
 * can make a line wrong, never a value.
 */
export function tomlLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table = '';
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]/.exec(line);
    if (header !== null) {
      table = enter(header[2] ?? '', { isArray: header[1] === '[[', counts });
      note(lines, table, index);
      continue;
    }
    const key = /^\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+))*)\s*=/.exec(
      line,
    );
    if (key !== null) note(lines, keyParts(key[1] ?? '').reduce(tomlPath, table), index);
  }
  return lines;
}

/** The path of a table or key below another; '' is the document itself. */
export function tomlPath(parent: string, key: string | number): string {
  return typeof key === 'number' ? `${parent}[${key}]` : `${parent}\n${key}`;
}

interface Entering {
  readonly isArray: boolean;
  /** How many tables each array has so far. */
  readonly counts: Map<string, number>;
}

function enter(header: string, { isArray, counts }: Entering): string {
  const parts = keyParts(header);
  let path = '';
  for (const [index, part] of parts.entries()) {
    path = tomlPath(path, part);
    const count = counts.get(path);
    const isNew = isArray && index === parts.length - 1;
    if (isNew) counts.set(path, (count ?? 0) + 1);
    if (isNew || count !== undefined) path = tomlPath(path, isNew ? (count ?? 0) : (count ?? 1) - 1);
  }
  return path;
}

function keyParts(dotted: string): string[] {
  return (dotted.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+/g) ?? []).map((part) =>
    /^["']/.test(part) ? part.slice(1, -1) : part,
  );
}

function note(lines: Map<string, number>, path: string, index: number): void {
  if (!lines.has(path)) lines.set(path, index + 1);
}
