import { type BakeSelection, isRemote } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';

/** @throws UsageError for the address of a definition: what it may do here is for its reader to judge first */
export function refuseRemote(names: readonly string[]): void {
  const address = names.find(isRemote);
  if (address === undefined) return;
  throw new UsageError(`bake definitions are read from this machine only: ${address}`, {
    hint: 'clone it, and bake in its folder',
  });
}

/** SOURCE_DATE_EPOCH of the environment is an argument of every target that does not set it. */
export function withEpoch(selection: BakeSelection, epoch: string | undefined): BakeSelection {
  if (epoch === undefined || epoch === '') return selection;
  const targets = [...selection.targets].map(
    ([name, target]) => [name, { ...target, args: { SOURCE_DATE_EPOCH: epoch, ...target.args } }] as const,
  );
  return { ...selection, targets: new Map(targets) };
}

/** Paths that `--set` names: who writes them on the command line allows them. */
export function writtenPaths(overrides: readonly string[]): string[] {
  return overrides.flatMap((text) => {
    const [, key = '', value = ''] = /^[^.=]+\.([^.=+]+)[^=]*=(.*)$/s.exec(text) ?? [];
    if (key === 'context' || key === 'contexts' || key === 'dockerfile') return [value];
    if (key === 'ssh') return value.split('=').slice(1).join('=').split(',').filter(Boolean);
    if (!['output', 'cache-from', 'cache-to', 'secrets', 'secret'].includes(key)) return [];
    const fields = value.split(',').flatMap((field) => /^(?:dest|src|source)=(.+)$/.exec(field)?.[1] ?? []);
    return value.includes('=') ? fields : [value];
  });
}
