import type { Subject, SubjectStage } from '../subject.ts';
import { commandsBefore, lineageOf } from './lineage.ts';

/** Whether a variable has a value at a line of a stage, as far as the file and its base's config tell. */
export function isVariableSet(subject: Subject, stage: SubjectStage, at: { name: string; line: number }): boolean {
  const base = lineageOf(subject, stage)[0]?.base;
  const inherited = base?.kind === 'image' ? (base.config?.config.Env ?? []) : [];
  if (inherited.some((entry) => entry.startsWith(`${at.name}=`) && entry.length > at.name.length + 1)) return true;
  return commandsBefore(subject, stage, at.line).some(({ command }) => {
    if (command.kind === 'env') return command.pairs.some(({ key, value }) => key === at.name && value !== '');
    return command.kind === 'arg' && command.args.some(({ key, value }) => key === at.name && value !== undefined);
  });
}
