import { UsageError } from '../errors.ts';
import type { CacheMountRecord } from '../store/index.ts';
import { parseDuration } from './time.ts';

/**
 * Which cache mounts `--id` and `--filter` name: of several ids one is enough, everything else must hold.
 * @throws UsageError
 */
export function cacheMountFilter(
  filters: readonly string[],
  { ids, now }: { readonly ids: readonly string[]; readonly now: number },
): (record: CacheMountRecord) => boolean {
  const wanted = new Set(ids);
  let unusedSince = Number.POSITIVE_INFINITY;
  for (const filter of filters) {
    const [, key, value = ''] = /^([^=]*)=(.*)$/s.exec(filter) ?? [];
    if (key === 'id') wanted.add(value);
    else if (key === 'until' || key === 'unused-for') unusedSince = Math.min(unusedSince, now - parseDuration(value));
    else throw new UsageError(`invalid argument "${filter}" for "--filter" flag: filters are id=ID and until=DURATION`);
  }
  return ({ id, lastUsed }) => (wanted.size === 0 || wanted.has(id)) && lastUsed <= unusedSince;
}
