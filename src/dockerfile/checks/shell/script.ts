import type { Span } from '../../span.ts';

/** A shell script as the simple commands in it, in the order in which they are written; offsets count in its text. */
export interface ShellScript {
  readonly text: string;
  readonly commands: readonly ShellCommand[];
  /** False where something in it could not be understood; `commands` then ends before that. */
  readonly certain: boolean;
  /** Where the last thing that is no blank or comment ends. */
  readonly end: number;
  /** Whether it ends with an operator: `make;`, `serve &`. */
  readonly open: boolean;
}

/** What joins a command to the one before it in its list; empty for the first. */
export type Joint = '' | '&&' | '||' | ';' | '|' | '&';

export interface ShellCommand extends Span {
  /** The program without its folder; empty where there is none or only a run can tell. */
  readonly name: string;
  /** The program and its arguments. */
  readonly words: readonly ShellWord[];
  /** `NAME=value` before the program, those of `env` included. */
  readonly assignments: readonly ShellWord[];
  /** What stands before the program and only starts it: `sudo -E`, `exec`. */
  readonly prefix: readonly ShellWord[];
  readonly redirects: readonly Redirect[];
  readonly joint: Joint;
  /** How many groups, loops, conditions and substitutions it is in. */
  readonly depth: number;
}

export interface ShellWord extends Span {
  /** Quotes and escapes removed; variables and substitutions as written. */
  readonly text: string;
  /** Whether the shell puts something else in place of a part of it: `$X`, `$(date)`. */
  readonly expands: boolean;
  readonly quoted: boolean;
}

export interface Redirect {
  /** Without the number: `>`, `>>`, `<`, `<<-`. */
  readonly operator: string;
  readonly target: ShellWord;
}
