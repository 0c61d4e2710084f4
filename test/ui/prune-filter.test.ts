import { describe, expect, it } from '@jest/globals';
import type { ImageRecord } from '../../src/store/index.ts';
import { pruneFilter } from '../../src/ui/prune-filter.ts';

const now = Date.parse('2026-01-15T00:00:00Z');
const image = (labels: Record<string, string>) =>
  ({ config: { config: { Labels: labels } } }) as unknown as ImageRecord;

describe('what prune is narrowed to', () => {
  it.each<readonly [filters: readonly string[], before: string | undefined]>([
    [[], undefined],
    [['until=24h'], '2026-01-14T00:00:00.000Z'],
    [['until=2026-01-02'], '2026-01-02T00:00:00.000Z'],
    [['until=2026-01-02T03:04:05Z'], '2026-01-02T03:04:05.000Z'],
    [['until=1767225600'], '2026-01-01T00:00:00.000Z'],
    [['until=1h', 'until=3h'], '2026-01-14T21:00:00.000Z'],
  ])('%j', (filters, before) => {
    const found = pruneFilter(filters, now).before;
    expect(found === undefined ? undefined : new Date(found).toISOString()).toBe(before);
  });

  it.each<readonly [filters: readonly string[], labels: Record<string, string>, chosen: boolean]>([
    [['label=a'], { a: '1' }, true],
    [['label=a'], { b: '1' }, false],
    [['label=a=1'], { a: '1' }, true],
    [['label=a=1=2'], { a: '1=2' }, true],
    [['label=a=2'], { a: '1' }, false],
    [['label!=a'], { a: '1' }, false],
    [['label!=a=2'], { a: '1' }, true],
    [['label=a', 'label!=b'], { a: '1', b: '' }, false],
  ])('%j of %j', (filters, labels, chosen) => {
    expect(pruneFilter(filters, now).chooseImage?.(image(labels))).toBe(chosen);
  });

  it.each(['until', 'until=', 'until!=1h', 'until=soon', 'name=x', 'label'])('not %s', (filter) => {
    expect(() => pruneFilter([filter], now)).toThrow(expect.objectContaining({ exitCode: 125 }));
  });
});
