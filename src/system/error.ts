import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';

export type SystemErrorCode =
  | 'SYSCALL_FAILED'
  | 'SYSCALLS_UNAVAILABLE'
  | 'USER_NAMESPACE_FORBIDDEN'
  | 'MOUNT_FORBIDDEN'
  | 'NETWORK_FILE_SYSTEM'
  | 'COMMAND_MISSING'
  | 'COMMAND_FAILED';

/** The operating system refused something. `errno` holds the name (`EPERM`) where there is one. */
export class SystemError extends SlipwayError {
  readonly code: SystemErrorCode;
  readonly errno: string | undefined;
  constructor(code: SystemErrorCode, message: string, options?: SlipwayErrorOptions & { errno?: string | undefined }) {
    super(message, options);
    this.code = code;
    this.errno = options?.errno;
  }
}
