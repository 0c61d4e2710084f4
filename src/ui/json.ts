/** Inside strings of JSON: what JSON.stringify leaves as it is, and a terminal acts on or hides. */
const acting = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;

/** A value as JSON that can be shown on a terminal; it means the same. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(
    acting,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
