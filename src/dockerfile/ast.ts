import type { SourceRange } from './graph.ts';

/** A Dockerfile as instructions, before any of them is judged. Plain JSON. */
export interface Ast {
  readonly source: Source;
  /** What continues lines and escapes quotes. */
  readonly escape: Escape;
  readonly directives: readonly Directive[];
  readonly instructions: readonly Instruction[];
  readonly notes: readonly AstNote[];
}

/** A Dockerfile's text and what it is called in messages. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

export type Escape = '\\' | '`';

export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: string;
  readonly line: number;
}

/** Something odd that is accepted. */
export interface AstNote {
  readonly kind: 'empty-continuation';
  readonly line: number;
}

export interface Instruction {
  /** As written: `FROM`, `from`. */
  readonly name: string;
  readonly range: SourceRange;
  /** `--from=x`, quotes and escapes removed. */
  readonly flags: readonly string[];
  /**
   * Words, elements of a JSON array, or one string, by instruction; ENV and LABEL have name, value and separator (`=`
   * or nothing) for each pair.
   */
  readonly args: readonly string[];
  /** Whether `args` was written as a JSON array. */
  readonly json: boolean;
  /** The logical line: continued, without comments and heredoc bodies. */
  readonly line: string;
  readonly heredocs: readonly Heredoc[];
  /** Comments right above, without `#`. */
  readonly comments: readonly string[];
  /** What ONBUILD triggers. */
  readonly trigger?: Instruction;
}

export interface Heredoc {
  /** The word that ends it, unquoted. */
  readonly name: string;
  readonly fileDescriptor: number;
  /** False where any part of the word was quoted. */
  readonly expand: boolean;
  /** `<<-`: leading tabs are dropped. */
  readonly chomp: boolean;
  /** As written, tabs included. */
  readonly content: string;
}

/** A heredoc's content as its reader gets it. */
export function contentOf(heredoc: Heredoc): string {
  return heredoc.chomp ? heredoc.content.replace(/(^|\n)\t+/g, '$1') : heredoc.content;
}
