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
  const chosen = withoutOverlaps(findings);
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
function withoutOverlaps(findings: readonly Finding[]): Finding[] {
  const taken: Edit[] = [];
  const chosen: Finding[] = [];
  const fixable = findings.filter(({ fix }) => fix !== undefined && fix.edits.length > 0);
  for (const finding of fixable.toSorted((a, b) => firstEdit(a) - firstEdit(b))) {
    const edits = finding.fix?.edits ?? [];
    if (edits.some((each) => taken.some((other) => overlaps(each, other)))) continue;
    taken.push(...edits);
    chosen.push(finding);
  }
  return chosen;
}

function firstEdit({ fix }: Finding): number {
  return fix?.edits[0]?.start ?? 0;
}

/** Two insertions at one place overlap too: which comes first would be chance. */
function overlaps(a: Edit, b: Edit): boolean {
  return (a.start < b.end && b.start < a.end) || a.start === b.start;
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

/** The fixes that leave a file that can be read, each tried on top of those before it. */
function readableSubset(text: string, chosen: readonly Finding[]): Finding[] {
  const kept: Finding[] = [];
  for (const finding of chosen) if (isReadable(edit(text, [...kept, finding]))) kept.push(finding);
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
