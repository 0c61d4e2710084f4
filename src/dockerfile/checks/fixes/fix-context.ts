import type { Ast, Instruction } from '../../ast.ts';
import type { Part } from '../../part.ts';
import type { Positions } from '../../position.ts';
import type { FileFacts } from './file-facts.ts';

/** What a fix is made from: the instruction that a finding is about, and what of it. */
export interface FixContext {
  readonly ast: Ast;
  readonly facts: FileFacts;
  readonly positions: Positions;
  readonly instruction: Instruction;
  /** Which of several words is meant (a port of EXPOSE); all of them where none is given. */
  readonly part?: Part | undefined;
}
