/* oxlint-disable no-control-regex -- control characters are the subject of this file */

/** DEL, C1, and the invisible characters that reorder or hide text (bidirectional overrides, zero-width, line separators). */
export const hidden = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;

/** These and C0. */
const unsafe = new RegExp(`[\\u0000-\\u001f]|${hidden.source}`, 'g');

/** CSI, OSC, DCS and the two-character escapes of ECMA-48, complete or cut off at the end of the text. */
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[ -/]*[0-~]?)/g;

const colourSequence = /^\u001b\[[0-9;:]*m$/;

/**
 * One line of text that is safe on a terminal: control characters appear as `\n` or `\x1b`. For names and messages from
 * outside: an image label or a path in a layer could otherwise move the cursor and forge what the user reads.
 */
export function escapeControls(text: string): string {
  return text.replace(unsafe, visible);
}

/** As `escapeControls`, but line breaks stay. */
export function escapeControlsInLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}

/** Removes escape sequences and control characters, for text of which only the words matter. Tabs become spaces. */
export function stripControls(text: string): string {
  return text.replace(sequences, '').replaceAll('\t', '    ').replace(unsafe, '');
}

/**
 * Output of a build step as a terminal may show it: colours and tabs stay, everything else that would act on the terminal
 * (cursor movement, window titles, clipboard writes by OSC 52) goes.
 */
export function keepColours(text: string): string {
  const parts = text.split(sequences);
  const found = text.match(sequences) ?? [];
  return parts
    .map((part, index) => {
      const sequence = found[index] ?? '';
      const clean = part.replace(unsafe, (character) => (character === '\t' ? '\t' : ''));
      return clean + (colourSequence.test(sequence) ? sequence : '');
    })
    .join('');
}

function visible(character: string): string {
  switch (character) {
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default: {
      const code = character.charCodeAt(0);
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    }
  }
}
