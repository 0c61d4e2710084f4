import { createContext, Script } from 'node:vm';
import { FunctionFailure, joined, limits } from '../hcl/limits.ts';
import { list, object, tuple, type Value } from '../hcl/value.ts';
import { fixed, type Functions } from './define.ts';

export const regexFunctions: Functions = {
  regex: fixed(['string', 'string'], (pattern, text) => {
    const [found] = matches(text, compile(pattern), 'first');
    if (found === undefined) throw new FunctionFailure('the pattern does not match');
    return captures(found);
  }),
  regexall: fixed(['string', 'string'], (pattern, text) => list(matches(text, compile(pattern), 'all').map(captures))),
  regex_replace: fixed(['string', 'string', 'string'], replaceAll),
};

/** Milliseconds that one pattern may search: some go back and forth without end. */
const patience = 1000;
const search = new Script('found = all ? [...text.matchAll(pattern)] : [pattern.exec(text)]');

/** @throws FunctionFailure for a pattern that takes too long */
function matches(text: string, pattern: RegExp, which: 'first' | 'all'): RegExpExecArray[] {
  const context: { found: (RegExpExecArray | null)[] } = createContext({
    text,
    pattern,
    all: which === 'all',
    found: [],
  }) as {
    found: (RegExpExecArray | null)[];
  };
  try {
    search.runInContext(context, { timeout: patience });
  } catch {
    throw new FunctionFailure(`the pattern takes longer than ${patience} ms`, 0);
  }
  return Array.from(context.found).filter((each) => each !== null);
}

function replaceAll(text: string, pattern: string, replacement: string): string {
  const parts: string[] = [];
  let last = 0;
  let length = 0;
  for (const match of matches(text, compile(pattern), 'all')) {
    const made = substitute(replacement, match);
    parts.push(text.slice(last, match.index), made);
    last = match.index + match[0].length;
    length += made.length;
    if (length > limits.text) break; // said by joined
  }
  return joined([...parts, text.slice(last)]);
}

/** The whole match; a tuple of what groups caught; an object where they have names. */
function captures(found: RegExpExecArray): Value {
  const { groups } = found;
  if (groups !== undefined) return object(Object.entries(groups).map(([name, text]) => [name, text ?? null] as const));
  return found.length === 1 ? found[0] : tuple(found.slice(1).map((text) => text ?? null));
}

/** `$1`, `${1}`, `$name`, `$$` */
function substitute(replacement: string, match: RegExpExecArray): string {
  return replacement.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (_whole, bare?: string, braced?: string) => {
    const name = bare ?? braced;
    if (name === undefined) return '$';
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? '';
  });
}

/** A pattern in RE2's syntax as one of ours. */
function compile(pattern: string): RegExp {
  const inline = /^\(\?([imsU]+)\)/.exec(pattern);
  const body = (inline === null ? pattern : pattern.slice(inline[0].length))
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replace(/\[\[:(\w+):\]\]/g, (whole, name: string) => classes[name] ?? whole);
  try {
    return new RegExp(body, `gu${(inline?.[1] ?? '').replace('U', '')}`);
  } catch (error) {
    throw new FunctionFailure(`the pattern is not valid: ${error instanceof Error ? error.message : String(error)}`, 0);
  }
}

const classes: Readonly<Record<string, string>> = {
  alnum: '[0-9A-Za-z]',
  alpha: '[A-Za-z]',
  digit: '[0-9]',
  lower: '[a-z]',
  punct: '[!-/:-@\\[-`{-~]',
  space: '[\\t\\n\\v\\f\\r ]',
  upper: '[A-Z]',
  word: '[0-9A-Za-z_]',
  xdigit: '[0-9A-Fa-f]',
};
