import { heredocsOf } from '../heredoc.ts';
import { quote } from '../quote.ts';
import { trim } from '../text.ts';
import { checkUnicode, instructionLine, invalid } from './quoting.ts';

/**
 * An instruction with `text` as its heredoc; `line` gets the word that ends it and makes the first line. A heredoc is
 * made of lines: the last one gets an end if it has none.
 */
export function withHeredoc(text: string, line: (terminator: string) => string): string {
  checkUnicode(text);
  const terminator = freeTerminator(text);
  const first = line(terminator);
  // A variable expression that is never closed would hide the heredoc, and its lines would be read as instructions.
  if (
    heredocsOf(first)
      .map(({ name }) => name)
      .join(' ') !== terminator
  ) {
    throw invalid(`a variable expression is not closed: ${quote(first)}`);
  }
  return `${first}\n${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${terminator}`;
}

function freeTerminator(text: string): string {
  const lines = new Set(text.split('\n').map((line) => line.replace(/\r+$/, '')));
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'EOF' : `EOF${number}`;
    if (!lines.has(name)) return name;
  }
}

/** RUN's command: one line as it is, several (and what one line cannot carry) as a heredoc. */
export function runLine(flags: readonly string[], command: string): string {
  const text = shellText('RUN', command);
  if (text !== undefined) {
    const line = instructionLine('RUN', ...flags, text.startsWith('--') ? '--' : '', text);
    if (heredocsOf(line).length === 0) return line;
  } else if (endsInMark(command) && !command.includes('\n')) throw danglingMark('RUN', command);
  return withHeredoc(command, (terminator) => instructionLine('RUN', ...flags, `<<${terminator}`));
}

/** The shell form's text where there is no heredoc to help. */
export function shellLine(keyword: string, command: string): string {
  const text = shellText(keyword, command);
  if (text !== undefined) return text;
  if (endsInMark(trim(command))) throw danglingMark(keyword, command);
  throw invalid(
    `${keyword} cannot hold this as a shell's command: ${quote(command)}`,
    'give the command as a list of arguments',
  );
}

/** A shell's command as one line, blanks around it dropped as they are from any; undefined where none can hold it. */
function shellText(keyword: string, command: string): string | undefined {
  checkUnicode(command);
  const text = trim(command);
  if (text === '') throw invalid(`${keyword} needs a command`);
  return text.includes('\n') || endsInMark(text) || isJsonArray(text) ? undefined : text;
}

/** One backslash at the end continues the line; of two the first escapes the second, and both stay. */
function endsInMark(text: string): boolean {
  return /(?<!\\)\\$/.test(text);
}

function danglingMark(keyword: string, command: string) {
  return invalid(`${keyword} cannot end in a backslash, which would join it to the next line: ${quote(command)}`);
}

/** Whether the language would take `text` for the other form. */
function isJsonArray(text: string): boolean {
  if (!text.startsWith('[')) return false;
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}
