import { argumentForms, splitInstruction } from './arguments.ts';
import type { Ast, AstNote, Directive, Escape, Heredoc, Instruction } from './ast.ts';
import { directiveReader, parseEscape } from './directives.ts';
import { at, DockerfileError, type Source } from './error.ts';
import { heredocsOf } from './heredoc.ts';
import { decodeText, isSpace, trim, trimStart } from './text.ts';

export interface ParseOptions {
  /** What messages call the file; `Dockerfile` unless given. */
  readonly name?: string;
}

/**
 * Splits a Dockerfile into instructions. Any bytes give either these or an error that names the line; what the
 * instructions mean is judged later.
 * @throws DockerfileError SYNTAX, EMPTY
 */
export function parse(input: string | Uint8Array, options: ParseOptions = {}): Ast {
  const source: Source = { name: options.name ?? 'Dockerfile', text: decodeText(input) };
  const file = lineReader(source.text.startsWith('\ufeff') ? source.text.slice(1) : source.text);
  const parser: Parser = { source, file, directives: [], escape: '\\', notes: [], comments: [] };
  const reader = directiveReader();
  const instructions: Instruction[] = [];
  for (let raw = file.next(); raw !== undefined; raw = file.next()) {
    const line = trimStart(trimNewline(raw));
    noteComment(parser, line);
    const directive = at(place(parser, file.number), () => reader.read(line, file.number));
    if (directive !== undefined) at(place(parser, file.number), () => takeDirective(parser, directive));
    if (line === '' || line.startsWith('#')) continue;
    instructions.push(readInstruction(parser, line));
    parser.comments = [];
  }
  if (instructions.length === 0) throw new DockerfileError('EMPTY', 'file with no instructions');
  return { source, escape: parser.escape, directives: parser.directives, instructions, notes: parser.notes };
}

interface Parser {
  readonly source: Source;
  readonly file: LineReader;
  readonly directives: Directive[];
  readonly notes: AstNote[];
  escape: Escape;
  /** Of the lines above the coming instruction. */
  comments: string[];
}

interface LineReader {
  /** The next line with its end, or undefined. */
  next(): string | undefined;
  /** Number of the line given last. */
  number: number;
}

function lineReader(text: string): LineReader {
  let from = 0;
  return {
    number: 0,
    next() {
      if (from >= text.length) return undefined;
      const newline = text.indexOf('\n', from);
      const to = newline < 0 ? text.length : newline + 1;
      const line = text.slice(from, to);
      from = to;
      this.number++;
      return line;
    },
  };
}

function trimNewline(line: string): string {
  let to = line.length;
  while (to > 0 && (line[to - 1] === '\n' || line[to - 1] === '\r')) to--;
  return line.slice(0, to);
}

function place(parser: Parser, start: number) {
  return { source: parser.source, range: { start, end: parser.file.number }, kind: 'parse' } as const;
}

function noteComment(parser: Parser, line: string): void {
  if (!line.startsWith('#')) return;
  const comment = trim(line.slice(1));
  if (comment === '') parser.comments = [];
  else parser.comments.push(comment);
}

function takeDirective(parser: Parser, directive: Directive): void {
  parser.comments.pop();
  parser.directives.push(directive);
  if (directive.name === 'escape') parser.escape = parseEscape(directive.value);
}

function readInstruction(parser: Parser, first: string): Instruction {
  const { file } = parser;
  const start = file.number;
  const line = readLogicalLine(parser, first);
  const instruction = at(place(parser, start), () => parseLine(line, parser.escape));
  const heredocs = takesHeredocs(instruction) && line.includes('<<') ? readHeredocs(parser, line, start) : [];
  const whole = { ...instruction, heredocs, comments: parser.comments, range: { start, end: file.number } };
  return withRange(whole);
}

/** An ONBUILD's trigger stands where the ONBUILD stands and owns its heredocs. */
function withRange(instruction: Instruction): Instruction {
  const { trigger, range, heredocs } = instruction;
  if (trigger === undefined) return instruction;
  return { ...instruction, trigger: withRange({ ...trigger, range, heredocs }) };
}

/** Joins continued lines; comments and (with a note) empty lines between them vanish. */
function readLogicalLine(parser: Parser, first: string): string {
  const { file, escape, notes } = parser;
  let piece = trimContinuation(first, escape);
  const parts = [piece ?? first];
  let sawEmpty = false;
  while (piece !== undefined) {
    const raw = file.next();
    if (raw === undefined) break;
    const line = trimNewline(raw);
    const content = firstVisible(line);
    if (content === '#') continue;
    if (content === undefined) {
      sawEmpty = true;
      continue;
    }
    piece = trimContinuation(line, escape);
    parts.push(piece ?? line);
  }
  if (sawEmpty) notes.push({ kind: 'empty-continuation', line: file.number });
  return parts.join('');
}

function firstVisible(line: string): string | undefined {
  for (let index = 0; index < line.length; index++) if (!isSpace(line[index])) return line[index];
  return undefined;
}

/** The line without its continuation mark; undefined where it has none. An escaped mark is none. */
function trimContinuation(line: string, escape: Escape): string | undefined {
  let to = line.length;
  while (to > 0 && (line[to - 1] === ' ' || line[to - 1] === '\t')) to--;
  if (line[to - 1] !== escape || line[to - 2] === escape) return undefined;
  return line.slice(0, to - 1);
}

/** ONBUILD within ONBUILD is refused later, but must not exhaust the stack now. */
const maxTriggers = 50;

function parseLine(line: string, escape: Escape, depth = 0): Instruction {
  const { name, flags, rest } = splitInstruction(line, escape);
  const none = { name, flags, line, range: { start: 0, end: 0 }, heredocs: [], comments: [] };
  if (name.toLowerCase() === 'onbuild') {
    if (rest === '') return { ...none, args: [], json: false };
    if (depth === maxTriggers) throw new DockerfileError('SYNTAX', 'ONBUILD is nested too deeply');
    return { ...none, args: [], json: false, trigger: parseLine(rest, escape, depth + 1) };
  }
  const form = argumentForms.get(name.toLowerCase());
  return { ...none, ...(form === undefined ? { args: [rest], json: false } : form(rest, escape)) };
}

function takesHeredocs(instruction: Instruction): boolean {
  const inner = instruction.trigger ?? instruction;
  return /^(?:add|copy|run)$/i.test(inner.name) && !inner.json;
}

function readHeredocs(parser: Parser, line: string, start: number): Heredoc[] {
  return at(place(parser, start), () => heredocsOf(line)).map((heredoc) => {
    const content: string[] = [];
    for (let raw = parser.file.next(); raw !== undefined; raw = parser.file.next()) {
      const text = trimNewline(raw);
      if ((heredoc.chomp ? text.replace(/^\t+/, '') : text) === heredoc.name) {
        return { ...heredoc, content: content.join('') };
      }
      content.push(raw);
    }
    return at(place(parser, start), () => {
      throw new DockerfileError('SYNTAX', 'unterminated heredoc', {
        hint: `no line holds just ${heredoc.name}, which ends it`,
      });
    });
  });
}
