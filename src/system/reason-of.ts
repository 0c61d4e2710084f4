import { getSystemErrorMessage } from 'node:util';
import { messageOf } from '../errors.ts';

/** Why the operating system refused something, in its own words (`no such file or directory`); else the error's message. */
export function reasonOf(error: unknown): string {
  const { errno } = error as NodeJS.ErrnoException;
  return (typeof errno === 'number' ? getSystemErrorMessage(errno) : undefined) ?? messageOf(error);
}
