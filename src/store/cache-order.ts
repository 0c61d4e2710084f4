import { chainIdOf, type Digest } from '../oci/index.ts';

/** A finished step, as its worth is judged. */
export interface CacheCandidate {
  readonly key: Digest;
  readonly diffId: Digest;
  readonly parent: Digest | undefined;
  /** Milliseconds that it took; undefined where nobody knows. */
  readonly duration: number | undefined;
  /** Seconds since 1970 at which it was last made or found. */
  readonly used: number;
  /** Bytes that its layer takes. */
  readonly size: number;
}

/** Days after which a step that nobody asked for is worth half as much. */
const halfLife = 7;
/** Of a step of which nobody knows how long it took. Milliseconds. */
const usualDuration = 1000;
/** Even an empty layer costs a folder and some rows. Bytes. */
const leastSize = 4096;

/**
 * The order in which steps are given up, the least valuable first: those that took little time for what they hold on disk, and those
 * that nobody asked for lately. A step is worth at least what the steps upon it are worth, since their layers need its own.
 */
export function cacheOrder(candidates: readonly CacheCandidate[], now: number): readonly CacheCandidate[] {
  const byChain = new Map<Digest, CacheCandidate[]>();
  for (const each of candidates) {
    const chain = chainIdOf(each.parent, each.diffId);
    byChain.set(chain, [...(byChain.get(chain) ?? []), each]);
  }
  const worth = new Map(candidates.map((each) => [each, worthOf(each, now)]));
  const depth = new Map<CacheCandidate, number>();
  for (const each of candidates) {
    let level = 0;
    const value = worth.get(each) ?? 0;
    for (let at: CacheCandidate | undefined = each; at !== undefined; ) {
      const below: readonly CacheCandidate[] = at.parent === undefined ? [] : (byChain.get(at.parent) ?? []);
      for (const lower of below) if ((worth.get(lower) ?? 0) < value) worth.set(lower, value);
      [at] = below;
      level += 1;
    }
    depth.set(each, level);
  }
  return candidates.toSorted(
    (a, b) => (worth.get(a) ?? 0) - (worth.get(b) ?? 0) || (depth.get(b) ?? 0) - (depth.get(a) ?? 0),
  );
}

function worthOf({ duration = usualDuration, used, size }: CacheCandidate, now: number): number {
  const days = Math.max(0, now / 1000 - used) / 86_400;
  return ((duration + 1) / Math.max(size, leastSize)) * 2 ** (-days / halfLife);
}
