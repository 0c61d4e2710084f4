import { FunctionFailure } from '../hcl/scope.ts';
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
  regex_replace: fixed(['string', 'string', 'string'], (text, pattern, replacement) =>
    text.replace(compile(pattern, 'g'), (...match) => substitute(replacement, match)),
  ),
};

/** The whole match; a tuple of what groups caught; an object where they have names. */
function captures(found: RegExpExecArray | RegExpMatchArray): Value {
  const { groups } = found;
  if (groups !== undefined) return object(Object.entries(groups).map(([name, text]) => [name, text ?? null] as const));
  return found.length === 1 ? found[0] : tuple(found.slice(1).map((text) => text ?? null));
}

/** `$1`, `${1}`, `$name`, `$$` */
function substitute(replacement: string, match: readonly unknown[]): string {
  const names = match.at(-1);
  const groups = typeof names === 'object' && names !== null ? (names as Record<string, string | undefined>) : {};
  return replacement.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare?: string, braced?: string) => {
    const name = bare ?? braced;
    if (name === undefined) return '$';
    const found = /^\d+$/.test(name) ? match[Number(name)] : groups[name];
    return whole !== '' && typeof found === 'string' ? found : '';
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
