import { Buffer } from 'node:buffer';
import type { Ast } from './ast.ts';
import { docComment } from './doc-comment.ts';
import { type LineRanges, lineRanges } from './line-ranges.ts';
import { toStages } from './stages.ts';
import { encodeText } from './text.ts';

/** What `--call=targets` gives: the members of BuildKit's subrequest `frontend.targets`, version 1.0.0. */
export interface TargetList {
  readonly targets: readonly BuildTarget[];
  /** The file in base64. */
  readonly sources: readonly string[];
}

/** A stage that can be built; what is not written is not there. */
export interface BuildTarget {
  readonly name?: string;
  /** True for what is built where no target is named. */
  readonly default?: boolean;
  /** From the comment right above FROM that begins with the stage's name. */
  readonly description?: string;
  /** As written. */
  readonly base?: string;
  /** As written. */
  readonly platform?: string;
  readonly location?: LineRanges;
}

/** @throws DockerfileError as `toStages` */
export function targetsOf(ast: Ast): TargetList {
  const { stages } = toStages(ast);
  const targets = stages.map(({ index, name, base, platform, range, comments }): BuildTarget => {
    const description = docComment(comments, name ?? '').toWellFormed();
    return {
      ...(name === undefined ? {} : { name }),
      ...(index === stages.length - 1 ? { default: true } : {}),
      ...(description === '' ? {} : { description }),
      ...(base === '' ? {} : { base: base.toWellFormed() }),
      ...(platform === '' ? {} : { platform: platform.toWellFormed() }),
      location: lineRanges(range),
    };
  });
  return { targets, sources: [Buffer.from(encodeText(ast.source.text)).toString('base64')] };
}
