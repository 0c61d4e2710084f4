import { BuildError } from '../error.ts';

/** Computes a mode from the present one; `isFolder` matters for symbolic `X`. */
export type ModeChange = (mode: number, isFolder: boolean) => number;

/**
 * The meaning of `--chmod`: octal digits up to 07777, or symbolic as chmod(1) has it (`u=rwX,go=rX`).
 * @throws BuildError INVALID_MODE
 */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]+$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    if (mode > 0o7777) throw invalid(text);
    return () => mode;
  }
  const clauses = text.split(',').map((clause) => parseClause(clause, text));
  return (mode, isFolder) => clauses.reduce((current, change) => change(current, isFolder), mode);
}

function invalid(text: string): BuildError {
  return new BuildError('INVALID_MODE', `invalid chmod parameter: '${text}'`, {
    hint: 'write octal digits such as 0644 (at most 07777), or a symbolic mode such as u=rwX,go=rX',
  });
}

function parseClause(clause: string, text: string): ModeChange {
  const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
  if (match === null) throw invalid(text);
  const who = match[1] === '' || match[1]?.includes('a') ? 'ugo' : (match[1] as string);
  const actions = [...(match[2] as string).matchAll(/([-+=])([rwxXstugo]*)/g)];
  return (mode, isFolder) =>
    actions.reduce(
      (current, action) =>
        applyAction(current, isFolder, { who, operator: action[1] as string, what: action[2] as string }),
      mode,
    );
}

interface Action {
  readonly who: string;
  readonly operator: string;
  readonly what: string;
}

const shiftOf: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function applyAction(mode: number, isFolder: boolean, { who, operator, what }: Action): number {
  let result = mode;
  for (const part of who) {
    const shift = shiftOf[part] as number;
    const special = part === 'u' ? 0o4000 : part === 'g' ? 0o2000 : 0;
    const bits = (permissions(mode, isFolder, what) << shift) | (what.includes('s') ? special : 0);
    if (operator === '+') result |= bits;
    else if (operator === '-') result &= ~bits;
    else result = (result & ~((7 << shift) | (isFolder ? 0 : special))) | bits;
  }
  if (!what.includes('t')) return result;
  return operator === '-' ? result & ~0o1000 : result | 0o1000;
}

function permissions(mode: number, isFolder: boolean, what: string): number {
  let bits = 0;
  for (const letter of what) {
    if (letter === 'r') bits |= 4;
    else if (letter === 'w') bits |= 2;
    else if (letter === 'x') bits |= 1;
    else if (letter === 'X' && (isFolder || (mode & 0o111) !== 0)) bits |= 1;
    else if (letter in shiftOf) bits |= (mode >> (shiftOf[letter] as number)) & 7;
  }
  return bits;
}
