import { closeSync, openSync } from 'node:fs';
import { loadSyscalls } from './load-syscalls.ts';
import { cloneFlags } from './syscalls.ts';

const ownNamespace = '/proc/thread-self/ns/net';

/**
 * Makes a network namespace and returns a descriptor of it, close-on-exec: it lives as long as that is open or a process is in
 * it, so SIGKILL leaves none. `/proc/<our pid>/fd/<descriptor>` is a path of it for other programs. This thread is in it for
 * a moment, in which nothing else can happen, and then where it was.
 * @throws SystemError SYSCALL_FAILED
 */
export function makeNetworkNamespace(): number {
  return andReturn((syscalls) => {
    syscalls.unshare(cloneFlags.newNetwork);
    return openSync(ownNamespace, 'r');
  });
}

/** What `look`, which must be synchronous, finds as a process of that network namespace. */
export function inNetworkNamespace<T>(fd: number, look: () => T): T {
  return andReturn((syscalls) => {
    syscalls.setns(fd, cloneFlags.newNetwork);
    return look();
  });
}

function andReturn<T>(work: (syscalls: ReturnType<typeof loadSyscalls>) => T): T {
  const syscalls = loadSyscalls();
  const own = openSync(ownNamespace, 'r');
  try {
    return work(syscalls);
  } finally {
    syscalls.setns(own, cloneFlags.newNetwork);
    closeSync(own);
  }
}
