import type { Directive } from '../ast.ts';
import { directiveReader } from '../directives.ts';
import { isSpace, trim, trimStart } from '../text.ts';

export function isComment(line: string): boolean {
  return trimStart(line).startsWith('#');
}

/** One blank behind `#`, unless there are some already (lists, commented-out lines) or it is a `####` or `#!` line. */
export function formatComment(line: string): string {
  const text = trim(line);
  const next = text[1];
  return next === undefined || next === '#' || next === '!' || isSpace(next) ? text : `# ${text.slice(1)}`;
}

export function formatDirective({ name, value }: Directive): string {
  return `# ${name}=${value}`;
}

/** Whether a comment at the beginning of the file would be a directive. */
export function readsAsDirective(comment: string): boolean {
  return directiveReader().read(comment, 1) !== undefined;
}
