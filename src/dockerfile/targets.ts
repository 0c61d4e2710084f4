import { Buffer } from 'node:buffer';
import type { Ast } from './ast.ts';
import { alignColumns } from './columns.ts';
import { stageDescriptions } from './doc-comment.ts';
import type { SourceRange } from './graph.ts';
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
  readonly location?: TargetLocation;
}

export interface TargetLocation {
  readonly ranges: readonly { readonly start: { readonly line: number }; readonly end: { readonly line: number } }[];
}

/** @throws DockerfileError as `toStages` */
export function targetsOf(ast: Ast): TargetList {
  const { stages } = toStages(ast);
  const descriptions = stageDescriptions(ast, stages);
  const targets = stages.map(({ index, name, base, platform, range }): BuildTarget => {
    const description = (descriptions[index] ?? '').toWellFormed();
    return {
      ...(name === undefined ? {} : { name }),
      ...(index === stages.length - 1 ? { default: true } : {}),
      ...(description === '' ? {} : { description }),
      ...(base === '' ? {} : { base: base.toWellFormed() }),
      ...(platform === '' ? {} : { platform: platform.toWellFormed() }),
      location: { ranges: linesOf(range) },
    };
  });
  return { targets, sources: [Buffer.from(encodeText(ast.source.text)).toString('base64')] };
}

/** One range for each line. */
function linesOf({ start, end }: SourceRange): TargetLocation['ranges'] {
  const count = Math.max(0, end - start) + 1;
  return Array.from({ length: count }, (_, index) => ({
    start: { line: start + index },
    end: { line: start + index },
  }));
}

/** The list for people, as BuildKit prints it. */
export function formatTargets({ targets }: TargetList): string {
  const rows = targets.map((target) => `${nameOf(target)}\t${target.description ?? ''}\n`);
  return alignColumns(`TARGET\tDESCRIPTION\n${rows.join('')}`);
}

function nameOf(target: BuildTarget): string {
  if (target.default !== true) return target.name ?? '';
  return target.name === undefined ? '(default)' : `${target.name} (default)`;
}
