import { SystemError } from './error.ts';
import { loadSyscalls } from './load-syscalls.ts';
import { cloneFlags, mountFlags } from './syscalls.ts';

let entered = false;

/**
 * Gives this thread a mount namespace and a working directory of its own, once; further calls do nothing. Mounts made here
 * die with the process, so that SIGKILL leaves none; those of the machine still come and go here as they do outside.
 *
 * Only synchronous fs calls of this thread and child processes spawned by it see such mounts: fs.promises runs in a pool of
 * threads that may have been started before. For the same reason `process.chdir` no longer reaches the pool.
 * @throws SystemError MOUNT_FORBIDDEN
 */
export function enterPrivateMounts(): void {
  if (entered) return;
  const syscalls = loadSyscalls();
  try {
    syscalls.unshare(cloneFlags.newNamespaceMount | cloneFlags.fileSystem);
    syscalls.mount('none', '/', null, mountFlags.recursive | mountFlags.slave, null);
  } catch (cause) {
    const errno = cause instanceof SystemError ? cause.errno : undefined;
    throw new SystemError('MOUNT_FORBIDDEN', `this process may not have mounts of its own (${errno ?? 'unknown'})`, {
      hint: 'run as root, or where user namespaces are allowed',
      errno,
      cause,
    });
  }
  entered = true;
}
