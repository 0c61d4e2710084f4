import type { FileMode, ModeAction, ModeClause } from '../../dockerfile/index.ts';

/** Computes a mode from the present one; `isFolder` matters for symbolic `X`. */
export type ModeChange = (mode: number, isFolder: boolean) => number;

/** What a `--chmod` does to a file, as chmod(1) does it. */
export function modeChange(change: FileMode): ModeChange {
  if (change.kind === 'octal') return () => change.mode;
  return (mode, isFolder) => change.clauses.reduce((current, clause) => applyClause(current, isFolder, clause), mode);
}

function applyClause(mode: number, isFolder: boolean, { who, actions }: ModeClause): number {
  return actions.reduce((current, action) => applyAction(current, isFolder, { who, ...action }), mode);
}

const shiftOf: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

interface Action extends ModeAction {
  readonly who: ModeClause['who'];
}

function applyAction(mode: number, isFolder: boolean, { who, operator, permissions: what }: Action): number {
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
