import type { BuildTarget, TargetList } from '../dockerfile/index.ts';
import { formatTable } from './table.ts';

/** The stages that can be built, as BuildKit prints them. */
export function formatTargets({ targets }: TargetList): string {
  const rows = targets.map((target) => [nameOf(target), ...(target.description ?? '').split('\t')]);
  return formatTable([['TARGET', 'DESCRIPTION'], ...rows], { minimumWidth: 0, padding: 1 });
}

function nameOf(target: BuildTarget): string {
  if (target.default !== true) return target.name ?? '';
  return target.name === undefined ? '(default)' : `${target.name} (default)`;
}
