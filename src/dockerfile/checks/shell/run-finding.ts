import type { Span } from '../../span.ts';
import type { Edit, FindingDraft, Fix } from '../finding.ts';
import type { RunScript } from './run-script.ts';

/** What a rule of ours finds. */
export type Found = Omit<FindingDraft, 'rule'>;

/** What is wrong with a stretch of a RUN's script. */
export function foundInRun(
  run: RunScript,
  at: Span,
  { message, fix }: { message: string; fix?: Fix | undefined },
): Found {
  const { range, comments } = run.instruction;
  const span = run.place(at);
  return {
    message,
    range,
    comments,
    ...(span === undefined ? {} : { part: { span } }),
    ...(fix === undefined ? {} : { fix }),
  };
}

/** A fix of edits, none where one of them cannot be made. */
export function fixOf(title: string, edits: readonly (Edit | undefined)[]): Fix | undefined {
  const possible = edits.filter((edit) => edit !== undefined);
  if (edits.length === 0 || possible.length < edits.length) return undefined;
  return { title, edits: possible.toSorted((a, b) => a.start - b.start) };
}
