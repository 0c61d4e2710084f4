import { UiError } from '../error.ts';

export type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open' | 'close' }
  /** `field` is `.Name` directly after a value or on its own; `spaced` tells whether white space came before. */
  | { readonly kind: 'field'; readonly name: string; readonly spaced: boolean }
  | { readonly kind: 'word'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'symbol'; readonly symbol: Symbols };

export type Symbols = '(' | ')' | '|' | ',' | ':=' | '=' | '.';

const insidePattern =
  /(?<space>\s+)|(?<string>"(?:[^"\\\n]|\\.)*")|(?<raw>`[^`]*`)|(?<char>'(?:[^'\\\n]|\\.)+')|(?<number>[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?))|(?<variable>\$\w*)|\.(?<field>[A-Za-z_]\w*)|(?<word>[A-Za-z_]\w*)|(?<symbol>:=|[()|,=.])/uy;

/**
 * Splits a template into text and the tokens of its `{{…}}` actions; `{{-` and `-}}` trim the text beside them.
 * @throws UiError TEMPLATE_INVALID
 */
export function tokenize(template: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let trimNext = false;
  while (position <= template.length) {
    const open = template.indexOf('{{', position);
    const end = open === -1 ? template.length : open;
    const trimsLeft = open !== -1 && /^\{\{-\s/.test(template.slice(open, open + 4));
    let text = template.slice(position, end);
    if (trimNext) text = text.trimStart();
    if (trimsLeft) text = text.trimEnd();
    if (text !== '') tokens.push({ kind: 'text', text });
    if (open === -1) break;
    const action = readAction(template, open + (trimsLeft ? 3 : 2));
    tokens.push(...action.tokens);
    trimNext = action.trimsRight;
    position = action.end;
  }
  return tokens;
}

interface Action {
  readonly tokens: Token[];
  readonly trimsRight: boolean;
  readonly end: number;
}

function readAction(template: string, start: number): Action {
  const comment = /^\s*\/\*[\s\S]*?\*\/\s*(-?)\}\}/.exec(template.slice(start));
  if (comment !== null) return { tokens: [], trimsRight: comment[1] === '-', end: start + comment[0].length };
  const tokens: Token[] = [{ kind: 'open' }];
  let position = start;
  let spaced = true;
  while (position < template.length) {
    const close = /^(?:\s-)?\}\}/.exec(template.slice(position, position + 4));
    if (close !== null) {
      tokens.push({ kind: 'close' });
      return { tokens, trimsRight: close[0].length > 2, end: position + close[0].length };
    }
    insidePattern.lastIndex = position;
    const match = insidePattern.exec(template);
    if (match === null) throw invalid(`unexpected ${JSON.stringify(template[position])} in action`, template, position);
    const token = toToken(match, spaced, template);
    if (token !== undefined) tokens.push(token);
    spaced = token === undefined;
    position = insidePattern.lastIndex;
  }
  throw invalid('unclosed action', template, start);
}

function toToken(match: RegExpExecArray, spaced: boolean, template: string): Token | undefined {
  const groups = match.groups ?? {};
  if (groups['space'] !== undefined) return undefined;
  if (groups['string'] !== undefined)
    return { kind: 'string', value: unquote(groups['string'], template, match.index) };
  if (groups['raw'] !== undefined) return { kind: 'string', value: groups['raw'].slice(1, -1) };
  if (groups['char'] !== undefined) {
    const value = unquote(`"${groups['char'].slice(1, -1)}"`, template, match.index);
    return { kind: 'number', value: value.codePointAt(0) ?? 0 };
  }
  if (groups['number'] !== undefined) return { kind: 'number', value: Number(groups['number']) };
  if (groups['variable'] !== undefined) return { kind: 'variable', name: groups['variable'] };
  if (groups['field'] !== undefined) return { kind: 'field', name: groups['field'], spaced };
  if (groups['word'] !== undefined) return { kind: 'word', name: groups['word'] };
  return { kind: 'symbol', symbol: groups['symbol'] as Symbols };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v' };

function unquote(quoted: string, template: string, position: number): string {
  return quoted.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3}|.)/g, (_, escape: string) => {
    if (/^[xu]./.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]{3}$/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
    if (/^[\\"']$/.test(escape)) return escape;
    const known = escapes[escape];
    if (known === undefined) throw invalid(`unknown escape \\${escape}`, template, position);
    return known;
  });
}

function invalid(problem: string, template: string, position: number): UiError {
  const line = template.slice(0, position).split('\n').length;
  return new UiError('TEMPLATE_INVALID', `template parsing error: line ${line}: ${problem}`, { exitCode: 64 });
}
