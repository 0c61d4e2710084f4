import type { Escape } from '../../ast.ts';

/** A literal value in double quotes, as ENV and LABEL read it. */
export function quoteLiteral(value: string, escape: Escape): string {
  return `"${escapeLiteral(value, escape)}"`;
}

/** A literal text as it is to stand within double quotes. */
export function escapeLiteral(value: string, escape: Escape): string {
  return value.replaceAll(/[\\`"$]/g, (character) =>
    character === '"' || character === '$' || character === escape ? escape + character : character,
  );
}
