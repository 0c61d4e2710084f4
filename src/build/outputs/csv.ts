/**
 * The fields of one line of comma-separated values, by the rules of Go's encoding/csv, which docker reads `-o` with: a field that
 * begins with a quote ends with one, and `""` in it is a quote; elsewhere a quote is wrong. undefined for what is no such line.
 */
export function csvFields(line: string): readonly string[] | undefined {
  const fields: string[] = [];
  for (let at = 0; ; at += 1) {
    const field = line[at] === '"' ? quotedField(line, at) : plainField(line, at);
    if (field === undefined) return undefined;
    fields.push(field.text);
    at = field.end;
    if (at === line.length) return fields;
    if (line[at] !== ',') return undefined;
  }
}

interface Field {
  readonly text: string;
  /** Index of what follows it. */
  readonly end: number;
}

function plainField(line: string, from: number): Field | undefined {
  const comma = line.indexOf(',', from);
  const end = comma < 0 ? line.length : comma;
  const text = line.slice(from, end);
  return text.includes('"') || /[\r\n]/.test(text) ? undefined : { text, end };
}

function quotedField(line: string, from: number): Field | undefined {
  let text = '';
  for (let at = from + 1; ; ) {
    const quote = line.indexOf('"', at);
    if (quote < 0) return undefined;
    text += line.slice(at, quote);
    if (line[quote + 1] !== '"') return { text, end: quote + 1 };
    text += '"';
    at = quote + 2;
  }
}
