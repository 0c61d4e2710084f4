import type { ImageConfig, Platform } from '../../oci/index.ts';
import type { Ast, Instruction } from '../ast.ts';
import type { Command, Stage } from '../instructions/command.ts';
import type { Positions } from '../position.ts';
import type { FindingDraft } from './finding.ts';
import type { Rule } from './rule.ts';

/** A Dockerfile as a rule sees it. */
export interface Subject {
  readonly ast: Ast;
  readonly positions: Positions;
  /** In the order of the file; all of them, whether the target needs them or not. */
  readonly stages: readonly SubjectStage[];
}

export interface SubjectStage {
  /** As written. */
  readonly stage: Stage;
  /** Its FROM. */
  readonly instruction: Instruction;
  readonly base: SubjectBase;
  /** What is written in this stage, in order; no ONBUILD triggers of the base. */
  readonly commands: readonly SubjectCommand[];
  /** Whether it is what the build makes: the named target, or the last stage. */
  readonly isTarget: boolean;
  /** Whether another stage begins with it. */
  readonly isBase: boolean;
  /** The user of the finished stage; undefined where that depends on a base whose config is not known. Empty is root. */
  readonly user: string | undefined;
}

/** What a stage begins with, its variables expanded. */
export type SubjectBase =
  | { readonly kind: 'scratch' | 'tree' }
  | { readonly kind: 'stage'; readonly index: number }
  /** `config` is undefined where it is not known; `replaced` tells that a named context stands in for the name. */
  | {
      readonly kind: 'image';
      readonly name: string;
      readonly platform: Platform;
      readonly config: ImageConfig | undefined;
      readonly replaced: boolean;
    };

export interface SubjectCommand {
  readonly command: Command;
  readonly instruction: Instruction;
}

/** A rule of ours: it looks at the whole file. */
export interface FileRule extends Rule {
  find(subject: Subject): Iterable<Omit<FindingDraft, 'rule'>>;
}
