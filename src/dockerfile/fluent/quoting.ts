import { DockerfileError } from '../error.ts';
import { quote } from '../quote.ts';
import { charactersOf, type DockerfileText } from './literal.ts';

/*
 * Everything that turns values into Dockerfile text. Three readers take text apart one after another, and each has
 * quotes of its own: the instruction (blanks part words, flags are unquoted, JSON is decoded), `--mount` (comma-separated
 * values), and last the expansion of variables.
 */

/** What needs no quotes anywhere. */
const bare = /^(?!--)[\p{L}\p{N}\w./:@%+,=~${}*?^!#[\]-]+$/u;

/**
 * Text whose expansion is `value`, blanks as they are: for readers that do not split it. A byte order mark at its start
 * is quoted for BuildKit, which drops it there.
 */
export function expandable(value: DockerfileText): string {
  const text = charactersOf(value);
  return /["'\\]|^(?:\d*<<|\ufeff)/.test(text) || (text.includes('$') && typeof value !== 'string')
    ? doubleQuoted(value)
    : text;
}

/** Text that stays one word and whose expansion is `value`. */
export function word(value: DockerfileText): string {
  const text = charactersOf(value);
  return bare.test(text) && (typeof value === 'string' || !text.includes('$')) ? text : doubleQuoted(value);
}

function doubleQuoted(value: DockerfileText): string {
  const escaped =
    typeof value === 'string' ? escapeAroundVariables(value) : value.literal.replace(/["\\$]/g, String.raw`\$&`);
  return `"${escaped}"`;
}

/** `${`, a special parameter (`$$`, whose `{` would open nothing), or one character. */
const token = /\$\{|\$[@*#?$!-]|[^]/g;

/** Within `${…}` a single quote opens a string even where double quotes surround it all. */
function escapeAroundVariables(text: string): string {
  let depth = 0;
  return text.replace(token, (found) => {
    if (found === '${') depth++;
    else if (found === '}' && depth > 0) depth--;
    return found === '"' || found === '\\' || (found === "'" && depth > 0) ? `\\${found}` : found;
  });
}

/** `--name=text`, which flags read as it is. */
export function flag(name: string, text: string): string {
  return `--${name}=${bare.test(text) ? text : `"${text.replace(/["\\]/g, String.raw`\$&`)}"`}`;
}

/** `key=text` as one of several values with commas between. */
export function field(key: string, text: string): string {
  const whole = `${key}=${text}`;
  return /[",]/.test(whole) ? `"${whole.replaceAll('"', '""')}"` : whole;
}

/** A JSON array, as instructions take it. */
export function jsonArray(texts: readonly string[]): string {
  for (const text of texts) checkUnicode(text);
  return `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`;
}

/** Several texts: plain words if all of them can be, else a JSON array. */
export function wordsOrJson(texts: readonly string[]): string {
  const plain = texts.every((text) => bare.test(text)) && texts[0]?.startsWith('[') === false;
  return plain ? texts.join(' ') : jsonArray(texts);
}

/** The parts of an instruction as its one line. @throws DockerfileError INVALID_ARGUMENT for what no line can hold */
export function instructionLine(...parts: readonly string[]): string {
  const line = parts.filter((part) => part !== '').join(' ');
  checkUnicode(line);
  if (!line.includes('\n')) return line;
  throw invalid(`${parts[0]} cannot hold a line break: ${quote(line)}`);
}

/** A Dockerfile is UTF-8, where a lone surrogate has no place. */
export function checkUnicode(text: string): void {
  if (!text.isWellFormed()) throw invalid(`not Unicode text: ${quote(text)}`);
}

export function invalid(message: string, hint?: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message, { hint });
}
