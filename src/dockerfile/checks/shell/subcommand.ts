import type { ShellCommand, ShellWord } from './script.ts';

/** The arguments of a command as far as text tells. */
export interface Arguments {
  /** `install` of `apt-get -y install curl`; undefined where there is none, or only a run can tell. */
  readonly verb: ShellWord | undefined;
  /** What is neither an option, nor an option's value, nor the verb. */
  readonly operands: readonly ShellWord[];
}

/**
 * Splits a command's arguments.
 * @param withValue options that take the next word as their value
 */
export function argumentsOf(command: ShellCommand, withValue: readonly string[] = []): Arguments {
  const [, ...words] = command.words;
  const plain: ShellWord[] = [];
  let skip = false;
  for (const word of words) {
    if (skip) skip = false;
    else if (withValue.includes(word.text)) skip = true;
    else if (!word.text.startsWith('-') || word.text === '-') plain.push(word);
  }
  const [verb, ...operands] = plain;
  return { verb: verb?.expands === true ? undefined : verb, operands };
}

/** Whether one of a command's words is one of these. */
export function hasWord({ words }: ShellCommand, ...texts: readonly string[]): boolean {
  return words.some(({ text }) => texts.includes(text));
}

/** Whether a command runs a script, or a program that only a run can tell: what it does is not known. */
export function isScript({ name, words }: ShellCommand): boolean {
  const [program] = words;
  if (program === undefined) return false;
  return (
    name === '' ||
    /\.sh$|^(?:ba|da|a|z|k)?sh$|^(?:source|\.|eval|su|chroot|xargs)$/.test(name) ||
    /^(?:\.\.?|\/tmp)\//.test(program.text)
  );
}
