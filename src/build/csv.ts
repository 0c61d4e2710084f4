/** A text that is no CSV; says why. */
export class CsvError extends Error {}

/**
 * Lines of comma-separated fields (RFC 4180), as Go's encoding/csv reads them, which docker reads flags with. Empty lines are skipped.
 * @throws CsvError
 */
export function parseCsv(text: string, separator = ','): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (row.length === 0 && /^\r?\n/.test(text.slice(at, at + 2))) {
      at += text[at] === '\r' ? 2 : 1;
      continue;
    }
    const field = text[at] === '"' ? quoted(text, at) : plain(text, at, separator);
    row.push(field.text);
    at = field.end;
    if (text[at] === separator) {
      at += 1;
      if (at === text.length) row.push('');
      continue;
    }
    if (text.startsWith('\r\n', at)) at += 2;
    else if (text[at] === '\n') at += 1;
    else if (at < text.length) throw new CsvError('a quoted field is followed by other text');
    rows.push(row);
    row = [];
  }
  return row.length > 0 ? [...rows, row] : rows;
}

function plain(text: string, start: number, separator: string): { text: string; end: number } {
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== '\n') end += 1;
  const raw = text.slice(start, end);
  if (raw.includes('"')) throw new CsvError('a quote stands within a field that is not quoted');
  return raw.endsWith('\r') ? { text: raw.slice(0, -1), end: end - 1 } : { text: raw, end };
}

function quoted(text: string, start: number): { text: string; end: number } {
  let result = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== '"') result += text[at];
    else if (text[at + 1] === '"') {
      result += '"';
      at += 1;
    } else return { text: result, end: at + 1 };
  }
  throw new CsvError('a quoted field does not end');
}

/** The fields of one line; none of an empty one. @throws CsvError */
export function csvFields(text: string): string[] {
  const rows = parseCsv(text);
  if (rows.length > 1) throw new CsvError('more than one line');
  return rows[0] ?? [];
}
