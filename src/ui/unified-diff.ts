import { escapeControls } from './escape.ts';

/** One line of a change: kept, removed or added. */
interface Edit {
  readonly kind: ' ' | '-' | '+';
  /** With its end; the last line of a text may have none. */
  readonly line: string;
}

/** Equal lines around a change. */
const context = 3;

/** Lines taken away or added beyond which no shortest way is looked for: time and memory grow with the square. */
const longestSearch = 2000;

/** The difference of two texts in the unified format that patch(1) reads; empty where there is none. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const edits = compare(linesOf(before), linesOf(after));
  return [`--- ${escapeControls(name)}\n+++ ${escapeControls(name)}\n`, ...hunksOf(edits)].join('');
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function compare(before: readonly string[], after: readonly string[]): Edit[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const kept = (line: string): Edit => ({ kind: ' ', line });
  return [
    ...before.slice(0, start).map(kept),
    ...shortestEdits(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(kept),
  ];
}

/** E. Myers, An O(ND) Difference Algorithm and Its Variations (1986): the furthest point on each diagonal, per length. */
function shortestEdits(before: readonly string[], after: readonly string[]): Edit[] {
  const rounds: Map<number, number>[] = [];
  let furthest = new Map([[1, 0]]);
  for (let length = 0; length <= Math.min(longestSearch, before.length + after.length); length++) {
    const round = new Map<number, number>();
    rounds.push(furthest);
    for (let diagonal = -length; diagonal <= length; diagonal += 2) {
      let x = isDown(furthest, diagonal, length) ? at(furthest, diagonal + 1) : at(furthest, diagonal - 1) + 1;
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
      round.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return trace(rounds, before, after);
    }
    furthest = round;
  }
  return [...before.map((line): Edit => ({ kind: '-', line })), ...after.map((line): Edit => ({ kind: '+', line }))];
}

function at(furthest: ReadonlyMap<number, number>, diagonal: number): number {
  return furthest.get(diagonal) ?? -1;
}

function isDown(furthest: ReadonlyMap<number, number>, diagonal: number, length: number): boolean {
  return diagonal === -length || (diagonal !== length && at(furthest, diagonal - 1) < at(furthest, diagonal + 1));
}

/** The way back from the end of both texts. */
function trace(rounds: readonly Map<number, number>[], before: readonly string[], after: readonly string[]): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let length = rounds.length - 1; length >= 0; length--) {
    const furthest = rounds[length] ?? new Map<number, number>();
    const diagonal = x - y;
    const previous = isDown(furthest, diagonal, length) ? diagonal + 1 : diagonal - 1;
    const fromX = length === 0 ? 0 : at(furthest, previous);
    const fromY = length === 0 ? 0 : fromX - previous;
    while (x > fromX && y > fromY) {
      edits.push({ kind: ' ', line: before[--x] ?? '' });
      y--;
    }
    if (x > fromX) edits.push({ kind: '-', line: before[--x] ?? '' });
    else if (y > fromY) edits.push({ kind: '+', line: after[--y] ?? '' });
  }
  return edits.reverse();
}

function hunksOf(edits: readonly Edit[]): string[] {
  const changes = [...edits.keys()].filter((index) => edits[index]?.kind !== ' ');
  const hunks: { start: number; end: number }[] = [];
  for (const index of changes) {
    const last = hunks.at(-1);
    if (last !== undefined && index - context <= last.end) last.end = index + 1 + context;
    else hunks.push({ start: Math.max(0, index - context), end: index + 1 + context });
  }
  let [from, oldLine, newLine] = [0, 1, 1];
  return hunks.map(({ start, end }) => {
    // Between hunks all lines are equal.
    oldLine += start - from;
    newLine += start - from;
    const shown = edits.slice(start, end);
    const oldCount = shown.filter(({ kind }) => kind !== '+').length;
    const newCount = shown.filter(({ kind }) => kind !== '-').length;
    const head = `@@ -${rangeOf(oldLine, oldCount)} +${rangeOf(newLine, newCount)} @@\n`;
    from = start + shown.length;
    oldLine += oldCount;
    newLine += newCount;
    return head + shown.map(showEdit).join('');
  });
}

/** An empty range names the line before it. */
function rangeOf(line: number, count: number): string {
  return count === 1 ? String(line) : `${count === 0 ? line - 1 : line},${count}`;
}

function showEdit({ kind, line }: Edit): string {
  return line.endsWith('\n') ? kind + line : `${kind}${line}\n\\ No newline at end of file\n`;
}
