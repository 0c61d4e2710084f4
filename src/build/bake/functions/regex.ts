import { FunctionFailure, joined, limits } from '../hcl/limits.ts';
import { list, object, tuple, type Value } from '../hcl/value.ts';
import { fixed, type Functions } from './define.ts';

export const regexFunctions: Functions = {
  regex: fixed(['string', 'string'], (pattern, text) => {
    const found = compile(pattern, '').exec(text);
    if (found === null) throw new FunctionFailure('the pattern does not match');
    return captures(found);
  }),
  regexall: fixed(['string', 'string'], (pattern, text) =>
    list([...text.matchAll(compile(pattern, 'g'))].map(captures)),
  ),
  regex_replace: fixed(['string', 'string', 'string'], replaceAll),
};

function replaceAll(text: string, pattern: string, replacement: string): string {
  const parts: string[] = [];
  let last = 0;
  let length = 0;
  for (const match of text.matchAll(compile(pattern, 'g'))) {
    const made = substitute(replacement, match);
    parts.push(text.slice(last, match.index), made);
    last = match.index + match[0].length;
    length += made.length;
    if (length > limits.text) break; // said by joined
  }
  return joined([...parts, text.slice(last)]);
}

/** The whole match; a tuple of what groups caught; an object where they have names. */
function captures(found: RegExpExecArray | RegExpMatchArray): Value {
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

/**
 * A pattern in RE2's syntax as one of ours. A pattern that backtracks without end would be the author's own build that hangs;
 * texts are bounded and short in practice.
 */
function compile(pattern: string, flags: string): RegExp {
  const inline = /^\(\?([imsU]+)\)/.exec(pattern);
  const body = (inline === null ? pattern : pattern.slice(inline[0].length))
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replace(/\[\[:(\w+):\]\]/g, (whole, name: string) => classes[name] ?? whole);
  try {
    return new RegExp(body, `${flags}u${(inline?.[1] ?? '').replace('U', '')}`);
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
