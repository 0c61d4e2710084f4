import { splitInstruction } from '../../arguments.ts';
import type { Fix } from '../finding.ts';
import type { FixContext } from './fix-context.ts';
import { quoteLiteral } from './quote-value.ts';

/** A label for the author; quotes around all of the name, which MAINTAINER keeps as part of it, go. */
export function fixMaintainer({ ast, positions, instruction }: FixContext): Fix | undefined {
  const [written] = instruction.args;
  if (written === undefined) return undefined;
  const { nameSpan, restStart, rest } = splitInstruction(instruction.line, ast.escape);
  const author = /^"([^"]*)"$|^'([^']*)'$/.exec(written);
  const value = quoteLiteral(author?.[1] ?? author?.[2] ?? written, ast.escape);
  const keyword = /^[a-z]/.test(instruction.name) ? 'label' : 'LABEL';
  const span = positions.inFile(instruction.range, { start: nameSpan.start, end: restStart + rest.length });
  if (ast.source.text.slice(span.start, span.end).includes('\n')) return undefined;
  const text = `${keyword} org.opencontainers.image.authors=${value}`;
  return { title: 'write LABEL org.opencontainers.image.authors', edits: [{ ...span, text }] };
}
