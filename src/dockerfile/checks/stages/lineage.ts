import type { Instruction } from '../../ast.ts';
import type { Subject, SubjectStage } from '../subject.ts';

/**
 * The stages whose layers are in the image that the build makes: the target and those of the file that it begins with, the
 * first one first. What lies about in any other stage weighs on nobody but the cache.
 */
export function imageStages({ stages }: Subject): SubjectStage[] {
  const target = stages.find(({ isTarget }) => isTarget);
  if (target === undefined) return [];
  const lineage = [target];
  for (let { base } = target; base.kind === 'stage'; ) {
    const next = stages[base.index];
    if (next === undefined) break;
    lineage.push(next);
    base = next.base;
  }
  return lineage.toReversed();
}

/** Everything that is written in an instruction: its line, and its heredocs. */
export function textsOf({ line, heredocs }: Instruction): string[] {
  return [line, ...heredocs.map(({ content }) => content)];
}
