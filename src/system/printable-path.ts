import { isUtf8 } from 'node:buffer';
import type { BytePath } from './syscalls.ts';

/** A path for messages, quoted. Names come from images: what a terminal would act on, or turn around, is escaped. */
export function printablePath(path: BytePath): string {
  const text = typeof path === 'string' ? path : path.toString(isUtf8(path) ? 'utf8' : 'latin1');
  return JSON.stringify(text).replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
