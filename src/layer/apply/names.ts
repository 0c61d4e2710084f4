import { LayerError } from '../error.ts';

/**
 * A name of bytes as a string of one character per byte (latin1): comparing two gives their bytewise order, and none is changed by
 * a detour through UTF-8.
 */
export type ByteName = string;

const largestDepth = 1024;

export function byteName(bytes: Buffer): ByteName {
  return bytes.toString('latin1');
}

export function bytesOf(name: ByteName): Buffer {
  return Buffer.from(name, 'latin1');
}

/** A path as the bytes of its UTF-8 form. */
export function byteNameOfPath(path: string): ByteName {
  return isAscii(path) ? path : Buffer.from(path).toString('latin1');
}

/** What to give to a system call; a string where that means the same bytes, which Node takes faster. */
export function systemPath(path: ByteName): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, 'latin1');
}

/** The child `name` of an open folder, without ever resolving the folder's own path again. */
export function at(folder: number, name: ByteName): string | Buffer {
  const path = `/proc/self/fd/${folder}/${name}`;
  return isAscii(name) ? path : Buffer.from(path, 'latin1');
}

/**
 * The components of an entry's name or of a hard link's target: empty ones and `.` fall away, `..` takes the one before and stops at
 * the root (CVE-2021-32804 and its kin end here).
 * @throws LayerError UNSAFE_ENTRY, TOO_LARGE
 */
export function componentsOf(path: ByteName): ByteName[] {
  if (path.includes('\0')) throw new LayerError('UNSAFE_ENTRY', 'a name has a NUL in it');
  const parts = path.split('/');
  const components = parts.some(isSpecial) ? withoutSpecial(parts) : parts;
  if (components.length > largestDepth) throw tooDeep();
  return components;
}

function isSpecial(part: ByteName): boolean {
  return part === '' || part === '.' || part === '..';
}

function withoutSpecial(parts: readonly ByteName[]): ByteName[] {
  const components: ByteName[] = [];
  for (const part of parts) {
    if (part === '..') components.pop();
    else if (!isSpecial(part)) components.push(part);
  }
  return components;
}

/** The target of a symbolic link, whose `..` is left to the walk: it goes up from where the link's folder really is. */
export function linkSteps(target: ByteName): { readonly absolute: boolean; readonly steps: ByteName[] } {
  return {
    absolute: target.startsWith('/'),
    steps: target.split('/').filter((part) => part !== '' && part !== '.'),
  };
}

export function tooDeep(): LayerError {
  return new LayerError('TOO_LARGE', `folders nested more than ${largestDepth} deep`);
}

export const maxDepth = largestDepth;

/** A name for messages: escaped, since it comes from an image. */
export function printable(name: ByteName): string {
  const text = JSON.stringify(bytesOf(name).toString('utf8').slice(0, 300));
  return text.replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
