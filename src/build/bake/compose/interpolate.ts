import { FunctionFailure } from '../hcl/limits.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

const plainName = /^[_a-zA-Z][_a-zA-Z0-9]*/;
const deepest = 50;

/**
 * Puts variables into a text of a compose file: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`,
 * `${NAME?message}`, `${NAME:+value}`, `${NAME+value}`; `$$` is a dollar. What stands for a missing one may hold others.
 * @throws FunctionFailure
 */
export function interpolate(text: string, variables: Variables, depth = 0): string {
  if (!text.includes('$')) return text;
  if (depth > deepest) throw new FunctionFailure('variables stand within each other too deep');
  let result = '';
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return result + text.slice(at);
    result += text.slice(at, dollar);
    const rest = text.slice(dollar + 1);
    if (rest.startsWith('$')) {
      result += '$';
      at = dollar + 2;
    } else if (rest.startsWith('{')) {
      const end = closing(text, dollar + 2);
      if (end === undefined)
        throw new FunctionFailure(
          `invalid interpolation: ${JSON.stringify(text.slice(dollar, dollar + 40))} does not end`,
        );
      result += braced(text.slice(dollar + 2, end), variables, depth);
      at = end + 1;
    } else {
      const name = plainName.exec(rest)?.[0];
      if (name === undefined)
        throw new FunctionFailure(
          `invalid interpolation at ${JSON.stringify(text.slice(dollar, dollar + 20))}; "$$" is a dollar`,
        );
      result += valueOf(name, variables) ?? '';
      at = dollar + 1 + name.length;
    }
  }
  return result;
}

/** The brace that ends what begins at `from`. */
function closing(text: string, from: number): number | undefined {
  let open = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) open += 1;
    if (text[at] === '}') open -= 1;
    if (open === 0) return at;
  }
  return undefined;
}

/** What every object has (`toString`) is no variable. */
function valueOf(name: string, variables: Variables): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function braced(content: string, variables: Variables, depth: number): string {
  const match = /^([_a-zA-Z][_a-zA-Z0-9]*)(?:(:?)([-?+])([^]*))?$/.exec(content);
  if (match === null) throw new FunctionFailure(`invalid interpolation: \${${content}}`);
  const [, name = '', colon, operator, word = ''] = match;
  const value = valueOf(name, variables);
  const isSet = value !== undefined && (colon !== ':' || value !== '');
  const other = (): string => interpolate(word, variables, depth + 1);
  if (operator === '+') return isSet ? other() : '';
  if (isSet || operator === undefined) return value ?? '';
  if (operator === '-') return other();
  const why = other();
  throw new FunctionFailure(`required variable ${name} is missing a value${why === '' ? '' : `: ${why}`}`);
}
