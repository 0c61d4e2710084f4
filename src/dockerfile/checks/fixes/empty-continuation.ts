import { trim } from '../../text.ts';
import type { Edit, Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';

/** Takes the empty lines out of a continued one. */
export function fixEmptyContinuation({ ast, positions, instruction: { range } }: FixContext): Fix | undefined {
  const note = ast.notes.find(({ line }) => range.start <= line && line <= range.end);
  if (note === undefined) return undefined;
  const edits: Edit[] = [];
  for (let line = range.start + 1; line <= note.line; line++) {
    const span = { start: positions.lineStart(line), end: positions.lineStart(line + 1) };
    const before = edits.at(-1);
    if (span.start === span.end || trim(ast.source.text.slice(span.start, span.end)) !== '') continue;
    if (before?.end === span.start) edits[edits.length - 1] = { ...span, start: before.start, text: '' };
    else edits.push({ ...span, text: '' });
  }
  return edits.length === 0 ? undefined : { title: 'remove the empty lines', edits };
}
