import type { Subject, SubjectCommand, SubjectStage } from '../subject.ts';

/** A stage and those of the file that it begins with, the first one first. */
export function lineageOf({ stages }: Subject, stage: SubjectStage): SubjectStage[] {
  const lineage = [stage];
  for (let { base } = stage; base.kind === 'stage'; ) {
    const next = stages[base.index];
    if (next === undefined) break;
    lineage.unshift(next);
    base = next.base;
  }
  return lineage;
}

/**
 * The stages whose layers are in the image that the build makes. What lies about in any other stage weighs on nobody but
 * the cache.
 */
export function imageStages(subject: Subject): SubjectStage[] {
  const target = subject.stages.find(({ isTarget }) => isTarget);
  return target === undefined ? [] : lineageOf(subject, target);
}

/** What is done before an instruction of a stage, from the stages it begins with on. */
export function commandsBefore(subject: Subject, stage: SubjectStage, line: number): SubjectCommand[] {
  return lineageOf(subject, stage).flatMap(({ commands }) =>
    commands.filter(({ instruction }) => instruction.range.start < line),
  );
}

/** What is done behind an instruction of a stage: in it, and in the stages that begin with it. */
export function commandsAfter({ stages }: Subject, stage: SubjectStage, line: number): SubjectCommand[] {
  const heirs = new Set([stage]);
  for (const each of stages) {
    const parent = each.base.kind === 'stage' ? stages[each.base.index] : undefined;
    if (parent !== undefined && heirs.has(parent)) heirs.add(each);
  }
  return [...heirs].flatMap(({ commands }) => commands.filter(({ instruction }) => instruction.range.start > line));
}
