import type { Ast, Instruction } from '../ast.ts';
import { type LineReader, lineReader, trimNewline } from '../lines.ts';
import { trimStart } from '../text.ts';
import { formatComment, formatDirective, readsAsDirective } from './comment.ts';
import { formatInstruction } from './instruction.ts';
import { readWritten, type Written } from './written.ts';

const byteOrderMark = '\ufeff';

/**
 * The Dockerfile in Slipway's one style, with the same directives, instructions, heredocs and comments: keywords in
 * capitals, one blank between words, continued lines indented by four. What a shell or a program reads stays as it is
 * written. Formatting twice changes nothing more.
 */
export function format(ast: Ast): string {
  const { text } = ast.source;
  const file = lineReader(text, text.startsWith(byteOrderMark) ? 1 : 0);
  const page = new Page();
  for (const directive of ast.directives) {
    file.next();
    page.add(`${formatDirective(directive)}\n`);
  }
  for (const instruction of ast.instructions) {
    let raw = file.next();
    for (; raw !== undefined && file.number < instruction.range.start; raw = file.next()) page.addBetween(raw);
    const start = file.offset;
    page.add(formatWhole(ast, instruction, { start, end: skipTo(file, instruction.range.end, raw) }));
  }
  for (let raw = file.next(); raw !== undefined; raw = file.next()) page.addBetween(raw);
  return page.text;
}

/** Reads on to the end of a line; gives the offset behind it. */
function skipTo(file: LineReader, line: number, current: string | undefined): number {
  let raw = current;
  while (file.number < line) raw = file.next();
  return file.offset + (raw ?? '').length;
}

/** An instruction with its heredocs. */
function formatWhole(ast: Ast, instruction: Instruction, span: { start: number; end: number }): string {
  const written = readWritten(ast, span);
  return formatInstruction(instruction, written) + formatHeredocs(ast, instruction, written);
}

/** The bodies are content to the byte, line ends included; the words that end them are lines like others. */
function formatHeredocs({ source: { text } }: Ast, { heredocs }: Instruction, { end }: Written): string {
  let from = end;
  return heredocs
    .map(({ content }) => {
      const file = lineReader(text, from + content.length);
      const terminator = file.next() ?? '';
      from = file.offset + terminator.length;
      return `${content}${trimNewline(terminator)}\n`;
    })
    .join('');
}

/** The output, with at most one empty line between two things. */
class Page {
  readonly #parts: string[] = [];
  #gap = false;

  /** Whole lines. */
  add(lines: string): void {
    if (this.#gap && this.#parts.length > 0) this.#parts.push('\n');
    this.#gap = false;
    this.#parts.push(lines);
  }

  /** A line that is empty or a comment. */
  addBetween(raw: string): void {
    const line = trimStart(trimNewline(raw));
    if (line === '') {
      this.#gap = true;
      return;
    }
    const comment = formatComment(line);
    // The empty line above it is all that keeps such a comment from being a directive.
    if (this.#gap && this.#parts.length === 0 && readsAsDirective(comment)) this.#parts.push('');
    this.add(`${comment}\n`);
  }

  get text(): string {
    const text = this.#parts.join('');
    // The first mark is dropped when the file is read; a second one belongs to the keyword behind it.
    return text.startsWith(byteOrderMark) ? byteOrderMark + text : text;
  }
}
