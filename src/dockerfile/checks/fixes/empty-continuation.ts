import { trim } from '../../text.ts';
import type { Edit, Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';

/** Takes the empty lines out of a continued one. */
export function fixEmptyContinuation({ ast, facts, positions, instruction }: FixContext): Fix | undefined {
  const last = facts.emptyContinuations.get(instruction) ?? 0;
  const edits: Edit[] = [];
  for (let line = instruction.range.start + 1; line <= last; line++) {
    const span = { start: positions.lineStart(line), end: positions.lineStart(line + 1) };
    const before = edits.at(-1);
    if (span.start === span.end || trim(ast.source.text.slice(span.start, span.end)) !== '') continue;
    if (before?.end === span.start) edits[edits.length - 1] = { ...span, start: before.start, text: '' };
    else edits.push({ ...span, text: '' });
  }
  return edits.length === 0 ? undefined : { title: 'remove the empty lines', edits };
}
