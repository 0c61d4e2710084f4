import { argumentForms, splitInstruction } from '../../arguments.ts';
import { type Span, shift } from '../../span.ts';
import type { Escape, Instruction } from '../../ast.ts';
import { parseHeredoc } from '../../heredoc.ts';
import type { RunCommand } from '../../instructions/command.ts';
import type { Positions } from '../../position.ts';
import { toCommand } from './command-prefix.ts';
import { readScript } from './read-script.ts';
import type { ShellScript, ShellWord } from './script.ts';

/** What a RUN gives its shell to do, and where that is written. */
export interface RunScript extends ShellScript {
  readonly command: RunCommand;
  readonly instruction: Instruction;
  /** `exec`: a JSON array that is one command, no shell's. */
  readonly form: 'shell' | 'exec' | 'heredoc';
  /** Where a stretch of the script stands in the file; undefined where it is written in another way there. */
  place(span: Span): Span | undefined;
}

export interface RunSource {
  readonly command: RunCommand;
  readonly instruction: Instruction;
  readonly positions: Positions;
  readonly escape: Escape;
}

/** Reads a RUN as a script of a POSIX shell; undefined where something else reads it. */
export function runScript(source: RunSource): RunScript | undefined {
  return source.command.command.shell ? shellForm(source) : execForm(source);
}

function shellForm(source: RunSource): RunScript | undefined {
  const { command, instruction, positions, escape } = source;
  const text = command.command.args.join(' ');
  const [file] = instruction.heredocs;
  if (file !== undefined && parseHeredoc(text) !== undefined) return heredocForm(source, file.content);
  const { restStart } = splitInstruction(instruction.line, escape);
  return {
    ...readScript(text),
    command,
    instruction,
    form: 'shell',
    place: (span) => positions.inFile(instruction.range, shift(span, restStart)),
  };
}

/** The body of the one heredoc that is all there is; its leading tabs mean nothing to a shell. */
function heredocForm({ command, instruction, positions }: RunSource, content: string): RunScript | undefined {
  if (content.startsWith('#!') && !/^#!\s*(?:\/usr)?\/bin\/(?:env\s+)?(?:ba|da|a|z|k)?sh\b/.test(content)) {
    return undefined;
  }
  const body = instruction.heredocs.reduce((lines, each) => lines + each.content.split('\n').length, 0);
  const offset = positions.lineStart(instruction.range.end - body + 1);
  return {
    ...readScript(content),
    command,
    instruction,
    form: 'heredoc',
    place: (span) => shift(span, offset),
  };
}

function execForm({ command, instruction, positions, escape }: RunSource): RunScript | undefined {
  const { args } = command.command;
  const { rest, restStart } = splitInstruction(instruction.line, escape);
  const spans = argumentForms.get('run')?.spans(rest, escape) ?? [];
  const words = args.map((text, index): ShellWord => {
    const { start, end } = shift(spans[index] ?? { start: 0, end: 0 }, restStart);
    return { text, expands: false, quoted: true, start, end };
  });
  const base = { command, instruction };
  const script = scriptArgument(words);
  if (script !== undefined) {
    const plain = instruction.line.slice(script.start + 1, script.end - 1) === script.text;
    const place = (span: Span) => positions.inFile(instruction.range, shift(span, script.start + 1));
    return { ...base, ...readScript(script.text), form: 'shell', place: plain ? place : () => undefined };
  }
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const at = { redirects: [], joint: '' as const, depth: 0, start: first.start, end: last.end };
  return {
    ...base,
    text: instruction.line,
    commands: [toCommand(words, at)],
    certain: true,
    end: last.end,
    open: false,
    form: 'exec',
    place: (span) => positions.inFile(instruction.range, span),
  };
}

/** The script of `["/bin/bash", "-o", "pipefail", "-c", "…"]`. */
function scriptArgument(words: readonly ShellWord[]): ShellWord | undefined {
  const names = words.map(({ text }) => text);
  if (!isPosixShell(names.slice(0, -1))) return undefined;
  return words.at(-1);
}

/** Whether a command line is a POSIX shell that waits for its script: what SHELL may say. */
export function isPosixShell(words: readonly string[]): boolean {
  const [program = '', ...options] = words;
  if (!/^(?:\/?(?:[\w.-]+\/)*)(?:ba|da|a|z|k)?sh$/.test(program)) return false;
  return /^-[a-z]*c$/.test(options.at(-1) ?? '');
}
