import { type SplitLine, splitInstruction } from '../arguments.ts';
import type { Span } from '../span.ts';
import type { Instruction } from '../ast.ts';
import { isSpace, trimEnd } from '../text.ts';
import type { Written } from './written.ts';

/** An instruction in the file, taken apart. */
export interface Parts {
  readonly instruction: Instruction;
  readonly written: Written;
  readonly split: SplitLine;
  /** The instruction's name in lower case. */
  readonly name: string;
}

export function partsOf(instruction: Instruction, written: Written): Parts {
  const split = splitInstruction(written.line, written.escape);
  return { instruction, written, split, name: split.name.toLowerCase() };
}

/** What stands behind the keyword, without blanks around it. */
export function spanBehindKeyword({ split, written: { line } }: Parts): Span {
  const end = trimEnd(line).length;
  let start = split.nameSpan.end;
  while (start < end && isSpace(line[start])) start++;
  return { start, end };
}

/** Whether the words are `name` or `name=value`, quoted as for a shell. */
export function isPairList({ name }: Parts): boolean {
  return name === 'arg' || name === 'env' || name === 'label';
}

/** Whether the words are parted by blanks and nothing else. */
export function isWordList({ name, split, instruction }: Parts): boolean {
  if (instruction.json || split.rest.startsWith('[')) return false; // an array that is none could become one
  return name === 'add' || name === 'copy' || name === 'expose' || name === 'from' || name === 'volume';
}

/** `ENV name value`, where the value is all the rest. */
export function isOldPair({ name, instruction }: Parts): boolean {
  return (name === 'env' || name === 'label') && instruction.args[2] === '';
}

/**
 * Whether the blanks between words mean more than that words end, so that all behind the keyword stays as it is written:
 * rare blanks part words for some readers only; heredocs are looked for by other rules of escaping than flags and words
 * are; an escape at the very end falls away; one at the end of an old pair's name would glue it to its value.
 */
export function isDelicate(parts: Parts): boolean {
  const { split, written } = parts;
  const { line, escape } = written;
  const { start, end } = spanBehindKeyword(parts);
  if (/[^\S\t ]|\u0085/.test(line.slice(start, end))) return true;
  const laidOut = isWordList(parts) ? line : line.slice(0, split.restStart);
  if (line.includes('<<') && laidOut.includes('\\')) return true;
  if (!isPairList(parts)) return false;
  return split.rest.endsWith(escape) || (isOldPair(parts) && parts.instruction.args[0]?.endsWith(escape) === true);
}
