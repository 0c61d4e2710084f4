import { getSystemErrorMessage } from 'node:util';
import { messageOf } from '../errors.ts';

/** Why the operating system refused something, in its own words (`no such file or directory`); else the error's message. */
export function reasonOf(error: unknown): string {
  const { errno, code } = error as NodeJS.ErrnoException;
  if (code === 'EISDIR') return 'is a directory'; // libuv words it as what was done to it
  return (typeof errno === 'number' ? getSystemErrorMessage(errno) : undefined) ?? messageOf(error);
}
