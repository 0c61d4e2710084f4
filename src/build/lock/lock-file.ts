import type { PolicyRule } from '../policy/source-policy.ts';

/** A source and what it is pinned to: another identifier, or attributes such as a checksum. */
export interface Pin {
  readonly source: string;
  readonly to: { readonly identifier: string } | { readonly checksum: string };
}

/** What another lock file says of a source. */
export interface PinChange {
  readonly source: string;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** The lock file: a source policy with one exact rule for each source, in order. */
export function formatLock(pins: readonly Pin[]): string {
  const rules = pins
    .toSorted((a, b) => (a.source < b.source ? -1 : 1))
    .map(({ source, to }) => ({
      action: 'CONVERT',
      selector: { identifier: source, matchType: 'EXACT' },
      updates: 'identifier' in to ? { identifier: to.identifier } : { attrs: { 'http.checksum': to.checksum } },
    }));
  return `${JSON.stringify({ version: 1, rules }, undefined, 2)}\n`;
}

/** The pins of rules that a lock file can have; other rules, of a file that somebody wrote by hand, are none. */
export function pinsOf(rules: readonly PolicyRule[]): readonly Pin[] {
  return rules.flatMap(({ action, selector, updates }): Pin[] => {
    if (action !== 'CONVERT' || selector.matchType !== 'EXACT' || updates === undefined) return [];
    const { identifier } = updates;
    const checksum = updates.attributes['http.checksum'];
    if (identifier !== undefined) return [{ source: selector.identifier, to: { identifier } }];
    return checksum === undefined ? [] : [{ source: selector.identifier, to: { checksum } }];
  });
}

/** In what two locks differ, in order of their sources. */
export function comparePins(before: readonly Pin[], after: readonly Pin[]): readonly PinChange[] {
  const [old, fresh] = [texts(before), texts(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])].sort().flatMap((source) => {
    const change: PinChange = { source, before: old.get(source), after: fresh.get(source) };
    return change.before === change.after ? [] : [change];
  });
}

function texts(pins: readonly Pin[]): ReadonlyMap<string, string> {
  return new Map(pins.map(({ source, to }) => [source, 'identifier' in to ? to.identifier : to.checksum]));
}
