import type { IdRange } from './privileges.ts';

/** Ranges of subordinate ids as /etc/subuid and /etc/subgid grant them: `[first, count]`. */
export type SubordinateRange = readonly [first: number, count: number];

const largestId = 0xffff_fffe; // 2^32-1 is "no id"

/** Parses subuid(5): the lines that name the user, by name or number. Lines that make no sense grant nothing. */
export function parseSubordinateIds(
  text: string,
  user: { readonly name: string; readonly id: number },
): SubordinateRange[] {
  const owners = new Set([user.name, String(user.id)].filter((owner) => owner !== ''));
  const ranges: SubordinateRange[] = [];
  for (const line of text.split('\n')) {
    const match = /^([^:]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line);
    if (match === null || !owners.has(match[1] ?? '')) continue;
    const [first, count] = [Number(match[2]), Number(match[3])];
    if (count > 0 && first + count - 1 <= largestId) ranges.push([first, count]);
  }
  return ranges;
}

/** Root inside is `id` outside; 1 and up are the subordinate ids, in the order of the file, so that a map never changes. */
export function mapOfSubordinates(id: number, subordinates: readonly SubordinateRange[]): IdRange[] {
  const map: IdRange[] = [{ inside: 0, outside: id, length: 1 }];
  let inside = 1;
  for (const [first, count] of subordinates) {
    map.push({ inside, outside: first, length: count });
    inside += count;
  }
  return map;
}

/** Parses /proc/PID/uid_map or gid_map (user_namespaces(7)). */
export function parseIdMap(text: string): IdRange[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [inside = 0, outside = 0, length = 0] = line.trim().split(/\s+/).map(Number);
      return { inside, outside, length };
    });
}

/** The form that the kernel and newuidmap take, three numbers a range. */
export function idMapNumbers(map: readonly IdRange[]): string[][] {
  return map.map((range) => [range.inside, range.outside, range.length].map(String));
}
