import { SystemError } from './error.ts';
import type { BytePath } from './syscalls.ts';

/** O_CLOEXEC, which Node sets itself and does not name. */
export const closeOnExec = 0o2000000;

/** Calls a function of the C library and throws when it gives a negative number. */
export type Call = (
  fn: (...values: readonly unknown[]) => unknown,
  name: string,
  subject: BytePath,
  ...values: readonly unknown[]
) => number;

/** A C string. A NUL inside would cut the path short and name another file. */
export function terminated(text: BytePath): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  if (bytes.includes(0)) throw new SystemError('SYSCALL_FAILED', 'a path holds a NUL byte', { errno: 'EINVAL' });
  const result = Buffer.allocUnsafe(bytes.length + 1);
  bytes.copy(result);
  result[bytes.length] = 0;
  return result;
}
