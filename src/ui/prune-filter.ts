import { UsageError } from '../errors.ts';
import type { ImageRecord } from '../store/index.ts';
import { parseDuration } from './time.ts';

export interface PruneFilter {
  /** Milliseconds since 1970: only what was not used, or made, since. */
  readonly before: number | undefined;
  readonly chooseImage: ((image: ImageRecord) => boolean) | undefined;
}

/**
 * Docker's `--filter` of prune: `until=24h` or a time, `label=KEY[=VALUE]`, `label!=KEY[=VALUE]`; all must hold.
 * @param now milliseconds since 1970
 * @throws UsageError
 */
export function pruneFilter(filters: readonly string[], now: number): PruneFilter {
  let before: number | undefined;
  const rules: ((image: ImageRecord) => boolean)[] = [];
  for (const filter of filters) {
    const [, key, not, value] = /^(\w+)(!?)=(.+)$/s.exec(filter) ?? [];
    if (key === 'until' && not === '' && value !== undefined) before = Math.min(before ?? now, momentOf(value, now));
    else if (key === 'label' && value !== undefined) rules.push(labelRule(value, not === ''));
    else {
      throw new UsageError(`invalid argument "${filter}" for "--filter" flag`, {
        hint: 'filters are until=DURATION, until=TIME, label=KEY[=VALUE] and label!=KEY[=VALUE]',
      });
    }
  }
  return { before, chooseImage: rules.length === 0 ? undefined : (image) => rules.every((rule) => rule(image)) };
}

function momentOf(value: string, now: number): number {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const moment = /^\d{4}-/.test(value) ? Date.parse(value) : now - parseDuration(value);
  if (!Number.isNaN(moment)) return moment;
  throw new UsageError(`invalid time: '${value}'`, { hint: 'times look like 24h, 2024-01-31, 2024-01-31T12:00:00Z' });
}

function labelRule(value: string, wanted: boolean): (image: ImageRecord) => boolean {
  const [key = '', ...rest] = value.split('=');
  return ({ config }) => {
    const found = config.config.Labels?.[key];
    const has = found !== undefined && (rest.length === 0 || found === rest.join('='));
    return has === wanted;
  };
}
