import type { Span } from '../../span.ts';
import type { Edit } from '../finding.ts';
import type { RunScript } from './run-script.ts';
import type { ShellCommand, ShellWord } from './script.ts';

/** From the program to one of its words: `apt-get install`. */
export function upTo(command: ShellCommand, word: ShellWord): Span {
  return { start: command.words[0]?.start ?? command.start, end: word.end };
}

/** Writes a plain word behind another one. */
export function insertWord(run: RunScript, after: ShellWord, text: string): Edit | undefined {
  const found = run.place(after);
  if (found === undefined) return undefined;
  return { start: found.end, end: found.end, text: run.form === 'exec' ? `, "${text}"` : ` ${text}` };
}

/** Writes a plain word in the place of another one. */
export function replaceWord(run: RunScript, word: ShellWord, text: string): Edit | undefined {
  const found = run.place(word);
  return found === undefined ? undefined : { ...found, text: run.form === 'exec' ? `"${text}"` : text };
}

/**
 * Writes a command behind the script, to be run if all before it went well; undefined where the script is more than
 * commands in a row.
 * @param file the whole file, whose way of breaking lines is followed
 */
export function appendCommand(run: RunScript, command: string, file: string): Edit | undefined {
  const { commands, certain, open, end, form } = run;
  const last = commands.at(-1);
  if (form === 'exec' || !certain || open || last === undefined || last.end !== end) return undefined;
  const inRow = commands.filter(({ depth }) => depth === 0);
  if (!inRow.includes(last) || commands.length > inRow.length) return undefined;
  if (inRow.some(({ joint }) => joint === '||' || joint === '&')) return undefined;
  if (last.name === 'exit' || last.name === 'exec') return undefined;
  const found = run.place({ start: last.start, end });
  if (found === undefined) return undefined;
  return { start: found.end, end: found.end, text: `${jointLike(file, found.start)}${command}` };
}

/** A command that is run by whoever runs another one. */
export function withSudoOf({ prefix }: ShellCommand, command: string): string {
  return prefix[0]?.text === 'sudo' ? `sudo ${command}` : command;
}

/** ` && `, over a line's end where the command at `offset` is joined so itself. */
function jointLike(file: string, offset: number): string {
  const line = file.slice(file.lastIndexOf('\n', offset - 1) + 1, offset);
  const [, indent] = /^([ \t]+)&&[ \t]+$/.exec(line) ?? [];
  if (indent !== undefined) return ` \\\n${indent}&& `;
  const before = lineBefore(file, offset - line.length);
  if (/^[ \t]+$/.test(line) && /&&[ \t]*\\\r?\n$/.test(before)) return ` && \\\n${line}`;
  return ' && ';
}

/** The line that ends at an offset, with its end. */
function lineBefore(file: string, offset: number): string {
  return file.slice(file.lastIndexOf('\n', offset - 2) + 1, offset);
}
