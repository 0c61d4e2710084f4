import { FunctionFailure } from '../hcl/limits.ts';
import { interpolate, type Variables } from './interpolate.ts';

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:([=:])\s*([^]*))?$/;

/**
 * Reads a file of variables (`.env`): `NAME=value`, comments, values in quotes over several lines; `$NAME` in those without
 * single quotes.
 * @param known variables that stand in values besides those read before
 * @throws FunctionFailure with the line
 */
export function parseDotenv(text: string, known: Variables): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const lines = text
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const match = assignment.exec(line);
    if (match === null)
      throw new FunctionFailure(`line ${at + 1}: unexpected ${JSON.stringify(line.trim().slice(0, 40))}`);
    const [, name = '', equals, value = ''] = match;
    if (equals === undefined) {
      const inherited = known[name];
      if (inherited !== undefined) found[name] = inherited;
      continue;
    }
    const quote = value[0];
    if (quote === '"' || quote === "'") {
      const read = readQuoted([value.slice(1), ...lines.slice(at + 1)], quote);
      if (read === undefined) throw new FunctionFailure(`line ${at + 1}: the value of ${name} has no closing quote`);
      at += read.lines;
      found[name] = quote === "'" ? read.text : interpolate(unescape(read.text), { ...known, ...found });
    } else {
      found[name] = interpolate(value.replace(/\s#.*$|^#.*$/, '').trim(), { ...known, ...found });
    }
  }
  return found;
}

function readQuoted(lines: readonly string[], quote: string): { text: string; lines: number } | undefined {
  let text = '';
  for (const [index, line] of lines.entries()) {
    if (index > 0) text += '\n';
    for (let at = 0; at < line.length; at++) {
      if (line[at] === quote) return { text, lines: index };
      if (line[at] === '\\' && quote === '"' && at + 1 < line.length) {
        text += line.slice(at, at + 2);
        at += 1;
      } else text += line[at];
    }
  }
  return undefined;
}

function unescape(text: string): string {
  const known: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$$' };
  return text.replace(/\\(.)/g, (whole, letter: string) => known[letter] ?? whole);
}
