import { DockerfileError } from '../error.ts';

/**
 * Splits a line of comma-separated values (RFC 4180): a field may be quoted, `""` in it is a quote.
 * @throws DockerfileError INVALID_FLAG, `subject` naming what could not be read
 */
export function splitFields(line: string, subject: string): string[] {
  if (line === '') throw new DockerfileError('INVALID_FLAG', `failed to parse csv ${subject}: nothing is there`);
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null) {
      throw new DockerfileError('INVALID_FLAG', `failed to parse csv ${subject}: a quote is out of place in ${line}`);
    }
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return fields;
  }
}

/** Go's strconv.ParseBool. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true;
  return /^(?:0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
}
