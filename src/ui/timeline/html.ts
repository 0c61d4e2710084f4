import { escapeControls } from '../escape.ts';

/** Text that is safe in HTML, as content and in a quoted attribute; control characters are made visible. */
export function text(value: string): string {
  return escapeControls(value).replace(/[&<>"'`]/g, (character) => `&#${character.codePointAt(0)};`);
}

/** A number for an attribute: three digits after the point. */
export function number(value: number): string {
  return String(Number(value.toFixed(3)));
}
