import type { Heredoc } from './ast.ts';
import { expand, noVariables } from './expand.ts';
import { DockerfileError } from './error.ts';

/** The heredocs that a logical line announces, without content. Blanks alone part words: `<<A;` wants `A;`. */
export function heredocsOf(line: string): Heredoc[] {
  let words: readonly string[];
  try {
    // Without quotes, escapes and dollars there is nothing to expand; blanks behind `<<` belong to its word.
    words = plain.test(line)
      ? (line.match(/(?:<(?:<[\t\r ]*)?|[^\s<])+/g) ?? [])
      : expand(line, noVariables, { quotes: 'keep', keepEscapes: true, keepUnset: true }).words;
  } catch (error) {
    if (error instanceof DockerfileError) return []; // an open quote: whatever it is, it is no heredoc
    throw error;
  }
  return words.flatMap((word) => (word.includes('<<') ? (parseHeredoc(word) ?? []) : []));
}

const plain = /^[\t\v\f\r !#%&(-[\]-_a-~]*$/;

/** `3<<-"EOF"` as a heredoc without content; undefined for any other word. */
export function parseHeredoc(word: string): Heredoc | undefined {
  const [, fileDescriptor, dash, rest] = /^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)$/.exec(word) ?? [];
  if (rest === undefined || rest === '') return undefined;
  const form = { fileDescriptor: Number(fileDescriptor), chomp: dash === '-', content: '' };
  if (/^[\w.-]+$/.test(rest)) return { ...form, name: rest, expand: true }; // nearly every heredoc there is
  const bare = expand(rest, noVariables, { keepUnset: true }).words;
  const [name] = bare;
  if (name === undefined || bare.length !== 1) return undefined;
  const [quoted = ''] = expand(rest, noVariables, { quotes: 'keep', keepUnset: true }).words;
  return { ...form, name, expand: quoteCount(quoted) === quoteCount(name) };
}

function quoteCount(text: string): number {
  return text.replace(/[^'"]/g, '').length;
}
