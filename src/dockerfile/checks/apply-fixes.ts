import { DockerfileError } from '../error.ts';
import { parse } from '../parse.ts';
import { toStages } from '../stages.ts';
import type { Edit, Finding } from './finding.ts';

export interface AppliedFixes {
  readonly text: string;
  /** Findings whose fixes are in the text, in the order of the file. */
  readonly applied: readonly Finding[];
  /** Those that have no fix, or one that touches a fix before it: they may be mended after another look. */
  readonly left: readonly Finding[];
}

/**
 * Mends what can be mended, from the beginning of the file on. A fix goes in whole or not at all, and never leaves a
 * file that cannot be read.
 * @param text the file that the findings are about
 */
export function applyFixes(text: string, findings: readonly Finding[]): AppliedFixes {
  const chosen = withoutOverlaps(text, findings);
  const whole = edit(text, chosen);
  const applied = isReadable(whole) ? chosen : readableSubset(text, chosen);
  const done = new Set(applied);
  return {
    text: applied === chosen ? whole : edit(text, applied),
    applied,
    left: findings.filter((finding) => !done.has(finding)),
  };
}

/** Findings with fixes, by their first edits, without those that touch one before them. */
function withoutOverlaps(text: string, findings: readonly Finding[]): Finding[] {
  const taken = new Taken(text.length);
  const fixable = findings.filter(({ fix }) => fix !== undefined && fix.edits.length > 0);
  return fixable
    .toSorted((a, b) => firstEdit(a) - firstEdit(b))
    .filter(({ fix }) => {
      const edits = fix?.edits ?? [];
      if (edits.some((each) => taken.touches(each))) return false;
      for (const each of edits) taken.add(each);
      return true;
    });
}

function firstEdit({ fix }: Finding): number {
  return fix?.edits[0]?.start ?? 0;
}

/** What edits have taken of a text: a mark for each character, and for each place where an edit begins. */
class Taken {
  readonly #characters: Uint8Array;
  readonly #starts: Uint8Array;

  constructor(length: number) {
    this.#characters = new Uint8Array(length);
    this.#starts = new Uint8Array(length + 1);
  }

  add({ start, end }: Edit): void {
    this.#characters.fill(1, start, end);
    this.#starts[start] = 1;
  }

  /** Two insertions at one place touch too: which comes first would be chance. */
  touches({ start, end }: Edit): boolean {
    if (this.#starts[start] === 1) return true;
    if (start === end) return this.#characters[start] === 1 && this.#characters[start - 1] === 1;
    return this.#characters.subarray(start, end).includes(1) || this.#starts.subarray(start + 1, end).includes(1);
  }
}

function edit(text: string, findings: readonly Finding[]): string {
  const edits = findings.flatMap(({ fix }) => fix?.edits ?? []).toSorted((a, b) => a.start - b.start);
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, text: added } of edits) {
    parts.push(text.slice(from, start), added);
    from = end;
  }
  return parts.join('') + text.slice(from);
}

/** Times that a file is read anew to find the fixes that do not suit it; what is not tried then stays out. */
const maxReadings = 100;

/** The fixes that leave a file that can be read, tried on top of those before them, by halves. */
function readableSubset(text: string, chosen: readonly Finding[]): Finding[] {
  const kept: Finding[] = [];
  const open: (readonly Finding[])[] = [chosen];
  for (let readings = 0; readings < maxReadings; readings++) {
    const group = open.pop();
    if (group === undefined) break;
    const half = group.length >> 1;
    if (isReadable(edit(text, [...kept, ...group]))) kept.push(...group);
    else if (half > 0) open.push(group.slice(half), group.slice(0, half));
  }
  return kept;
}

function isReadable(text: string): boolean {
  try {
    toStages(parse(text));
    return true;
  } catch (error) {
    if (error instanceof DockerfileError) return false;
    throw error;
  }
}
