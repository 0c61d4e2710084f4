import { Buffer } from 'node:buffer';

/*
 * A Dockerfile is bytes. As text, each byte that is not UTF-8 stands as one lone surrogate U+DC80…U+DCFF, which valid
 * UTF-8 can never give; so nothing is lost, and `encodeText` restores the bytes.
 */

/** Bytes (or text already) as text; a leading byte order mark is kept. */
export function decodeText(input: string | Uint8Array): string {
  if (typeof input === 'string') return input;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
  } catch {
    return decodeBroken(input);
  }
}

/** The bytes of a text from `decodeText`. */
export function encodeText(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let from = 0;
  for (const match of text.matchAll(/[\udc80-\udcff]/gu)) {
    parts.push(Buffer.from(text.slice(from, match.index), 'utf8'), Buffer.of(match[0].charCodeAt(0) & 0xff));
    from = match.index + 1;
  }
  parts.push(Buffer.from(text.slice(from), 'utf8'));
  return Buffer.concat(parts);
}

/** Code units at once that become a string: as many as a call takes arguments. */
const chunk = 8192;

function decodeBroken(input: Uint8Array): string {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const units = new Uint16Array(bytes.length);
  let count = 0;
  for (let index = 0; index < bytes.length; ) {
    const length = sequenceLength(bytes, index);
    const code = length === 0 ? 0xdc00 | (bytes[index] ?? 0) : codePoint(bytes, index, length);
    if (code >= 0x10000) units[count++] = 0xd7c0 + (code >> 10);
    units[count++] = code >= 0x10000 ? 0xdc00 | (code & 0x3ff) : code;
    index += Math.max(length, 1);
  }
  const parts: string[] = [];
  for (let from = 0; from < count; from += chunk) {
    parts.push(String.fromCharCode(...units.subarray(from, Math.min(from + chunk, count))));
  }
  return parts.join('');
}

/** The code point of a valid sequence. */
function codePoint(bytes: Buffer, index: number, length: number): number {
  const lead = bytes[index] ?? 0;
  if (length === 1) return lead;
  let code = lead & (0x7f >> length);
  for (let offset = 1; offset < length; offset++) code = (code << 6) | ((bytes[index + offset] ?? 0) & 0x3f);
  return code;
}

/** Length of the valid UTF-8 sequence at `index`, 0 where there is none (Unicode 15, table 3-7). */
function sequenceLength(bytes: Buffer, index: number): number {
  const lead = bytes[index] ?? 0;
  if (lead < 0x80) return 1;
  const second = bytes[index + 1] ?? 0;
  const tail = (offset: number) => ((bytes[index + offset] ?? 0) & 0xc0) === 0x80;
  if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80;
    const high = lead === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && tail(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

/** White space as Go's unicode package has it: U+0085 counts, the byte order mark does not. */
export function isSpace(character: string | undefined): boolean {
  if (character === undefined || character === '') return false;
  const code = character.charCodeAt(0);
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return code === 0x85 || (code !== 0xfeff && /^\s/.test(character));
}

export function trimStart(text: string): string {
  let from = 0;
  while (from < text.length && isSpace(text[from])) from++;
  return from === 0 ? text : text.slice(from);
}

export function trimEnd(text: string): string {
  let to = text.length;
  while (to > 0 && isSpace(text[to - 1])) to--;
  return to === text.length ? text : text.slice(0, to);
}

export function trim(text: string): string {
  return trimEnd(trimStart(text));
}

/** The text before and after the first `separator`; undefined where it is not there. */
export function cut(text: string, separator: string): [string, string] | undefined {
  const index = text.indexOf(separator);
  return index < 0 ? undefined : [text.slice(0, index), text.slice(index + separator.length)];
}
