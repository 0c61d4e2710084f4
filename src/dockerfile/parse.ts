import { argumentForms, splitInstruction } from './arguments.ts';
import type { Ast, AstNote, Directive, Escape, Heredoc, Instruction, Source } from './ast.ts';
import { directiveReader, parseEscape } from './directives.ts';
import { DockerfileError } from './error.ts';
import { heredocsOf } from './heredoc.ts';
import { type LineReader, lineReader, readLogicalLine, trimNewline } from './lines.ts';
import { at, type Place } from './place.ts';
import { decodeText, trim, trimStart } from './text.ts';

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
  const file = lineReader(source.text, source.text.startsWith('\ufeff') ? 1 : 0);
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
    if (parser.comments.length > 0) parser.comments = [];
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

function place({ source, escape, file }: Parser, start: number): Place {
  return { source, escape, range: { start, end: file.number }, kind: 'parse' };
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
  const { line, sawEmpty } = readLogicalLine(file, first, parser.escape);
  if (sawEmpty) parser.notes.push({ kind: 'empty-continuation', line: file.number });
  const read = at(place(parser, start), () => parseLine(line, parser.escape));
  const heredocs = takesHeredocs(read) && line.includes('<<') ? readHeredocs(parser, line, start) : none;
  const comments = parser.comments.length === 0 ? none : parser.comments;
  return finish(read, { range: { start, end: file.number }, heredocs, comments });
}

type Surroundings = Pick<Instruction, 'range' | 'heredocs' | 'comments'>;

/** An ONBUILD's trigger stands where the ONBUILD stands and owns its heredocs. */
function finish(
  { name, flags, args, json, line, trigger }: ReadLine,
  { range, heredocs, comments }: Surroundings,
): Instruction {
  const instruction = { name, range, flags, args, json, line, heredocs, comments };
  if (trigger === undefined) return instruction;
  return { ...instruction, trigger: finish(trigger, { range, heredocs, comments: none }) };
}

/** ONBUILD within ONBUILD is refused later, but must not exhaust the stack now. */
const maxTriggers = 50;

function parseLine(line: string, escape: Escape, depth = 0): ReadLine {
  const { name, flags, rest } = splitInstruction(line, escape);
  if (name.toLowerCase() === 'onbuild') {
    if (rest === '') return { name, flags, line, args: none, json: false, trigger: undefined };
    if (depth === maxTriggers) throw new DockerfileError('SYNTAX', 'ONBUILD is nested too deeply');
    return { name, flags, line, args: none, json: false, trigger: parseLine(rest, escape, depth + 1) };
  }
  const form = argumentForms.get(name.toLowerCase());
  const { args, json } = form === undefined ? { args: [rest], json: false } : form.read(rest, escape);
  return { name, flags, line, args, json, trigger: undefined };
}

/** What a logical line says by itself. */
interface ReadLine extends Pick<Instruction, 'name' | 'flags' | 'args' | 'json' | 'line'> {
  readonly trigger: ReadLine | undefined;
}

/** Shared: a large file has hundreds of thousands of lists without anything in them. */
const none: readonly never[] = [];

function takesHeredocs(instruction: ReadLine): boolean {
  const inner = instruction.trigger ?? instruction;
  return /^(?:add|copy|run)$/i.test(inner.name) && !inner.json;
}

function readHeredocs(parser: Parser, line: string, start: number): Heredoc[] {
  const heredocs = at(place(parser, start), () => heredocsOf(line));
  return heredocs.map((heredoc) => ({ ...heredoc, content: readBody(parser, heredoc, start) }));
}

/** The lines up to the one that ends a heredoc. */
function readBody({ file, source, escape }: Parser, { name, chomp }: Heredoc, start: number): string {
  let from: number | undefined;
  for (let raw = file.next(); raw !== undefined; raw = file.next()) {
    from ??= file.offset;
    const text = trimNewline(raw);
    if ((chomp ? text.replace(/^\t+/, '') : text) === name) return source.text.slice(from, file.offset);
  }
  const range = { start, end: file.number };
  return at({ source, escape, range, kind: 'parse' }, () => {
    const hint = `no line holds just ${name}, which ends it`;
    throw new DockerfileError('SYNTAX', 'unterminated heredoc', { hint, part: { text: '<<' } });
  });
}
