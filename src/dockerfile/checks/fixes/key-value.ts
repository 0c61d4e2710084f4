import { argumentForms, splitInstruction } from '../../arguments.ts';
import { type Span, shift } from '../../span.ts';
import type { Escape } from '../../ast.ts';
import { DockerfileError } from '../../error.ts';
import { expandText } from '../../expand.ts';
import type { Edit, Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';
import { escapeLiteral } from './quote-value.ts';

/** `ENV name value with blanks` becomes `ENV name="value with blanks"`, the same value whatever its variables hold. */
export function fixLegacyKeyValue(context: FixContext): Fix | undefined {
  const { ast, instruction } = context;
  const { escape } = ast;
  const { rest, restStart } = splitInstruction(instruction.line, escape);
  const [key = '', value = '', separator] = instruction.args;
  const [, valueSpan, gap] = argumentForms.get('env')?.spans(rest, escape) ?? [];
  if (separator !== '' || valueSpan === undefined || gap === undefined) return undefined;
  const edits = candidates(value, escape)
    .filter(({ text }) => isSame(`${key}=${text}`, { key, value, escape }))
    .map(({ open, close, text }) => {
      const place = (span: Span) => context.positions.inFile(instruction.range, shift(span, restStart));
      if (close === undefined) return whole(context, place({ start: gap.start, end: valueSpan.end }), `=${text}`);
      const ends: Edit[] = [{ ...place(gap), text: `=${open}` }];
      const { end } = place(valueSpan);
      if (close !== '') ends.push({ start: end, end, text: close });
      return ends.some((edit) => hasComment(context, edit)) ? undefined : ends;
    })
    .find((each) => each !== undefined);
  return edits === undefined ? undefined : { title: `write ${key}=…`, edits };
}

interface Candidate {
  /** What stands around the value as it is written; no `close` where the value is written anew. */
  readonly open: string;
  readonly close: string | undefined;
  /** All of it. */
  readonly text: string;
}

/** Ways to write a value, the one that changes least first. */
function candidates(value: string, escape: Escape): Candidate[] {
  return [
    { open: '', close: '', text: value },
    { open: '"', close: '"', text: `"${value}"` },
    { open: '', close: undefined, text: requoted(value, escape) },
  ];
}

/** The value with quotes around all of it, instead of those that are around parts. */
function requoted(value: string, escape: Escape): string {
  const mark = escape === '\\' ? '\\\\' : escape;
  const part = new RegExp(`'([^']*)'|"((?:[^"${mark}]|${mark}.)*)"|${mark}(.)`, 'gs');
  const parts = value.replaceAll(part, (whole, single?: string, double?: string, escaped?: string) => {
    if (single !== undefined) return escapeLiteral(single, escape);
    if (double !== undefined) return double;
    return escaped === undefined ? whole : escapeLiteral(escaped, escape);
  });
  return `"${parts}"`;
}

/** One edit over the value, if it stands on one line: nothing between its lines must be lost. */
function whole({ ast }: FixContext, span: Span, text: string): Edit[] | undefined {
  return ast.source.text.slice(span.start, span.end).includes('\n') ? undefined : [{ ...span, text }];
}

/** A comment between name and value must not vanish with the gap. */
function hasComment({ ast }: FixContext, { start, end }: Edit): boolean {
  return ast.source.text.slice(start, end).includes('#');
}

/** Whether the new form reads as one pair with the same value, for variables that are not set, empty, plain and odd. */
function isSame(pair: string, { key, value, escape }: { key: string; value: string; escape: Escape }): boolean {
  try {
    const { args } = argumentForms.get('env')?.read(pair, escape) ?? { args: [] };
    const [name, written, separator] = args;
    if (args.length !== 3 || name !== key || separator !== '=' || written === undefined) return false;
    const names = [...value.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map((match) => match[1] ?? '');
    return [undefined, '', 'plain', `odd "'\\\` $x`].every((content) => {
      const variables = new Map(content === undefined ? [] : names.map((each) => [each, content]));
      return expandText(written, variables, { escape }) === expandText(value, variables, { escape });
    });
  } catch (error) {
    if (error instanceof DockerfileError) return false;
    throw error;
  }
}
