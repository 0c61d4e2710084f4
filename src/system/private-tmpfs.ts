import fs from 'node:fs';
import { SystemError } from './error.ts';
import { loadSyscalls } from './load-syscalls.ts';
import { enterPrivateMounts } from './private-mounts.ts';
import { mountFlags, umountFlags } from './syscalls.ts';

export interface PrivateTmpfsOptions {
  /** The most it can hold, bytes. */
  readonly size: number;
  /** Whether programs may be started from it. */
  readonly executable: boolean;
}

/**
 * A folder in memory, in this thread's private mounts: what is in it reaches no disk, is seen by this thread and its children
 * alone, and is gone with the process, however that ends. Give it back when nothing uses it any more.
 */
export class PrivateTmpfs implements Disposable {
  readonly path: string;

  /** @param path where it is mounted; made here, and removed again. @throws SystemError MOUNT_FORBIDDEN, SYSCALL_FAILED */
  constructor(path: string, options: PrivateTmpfsOptions) {
    enterPrivateMounts();
    fs.mkdirSync(path, { mode: 0o700 });
    this.path = path;
    const data = `mode=700,size=${options.size}`;
    // Memory that is never swapped out, where the kernel has it for us (Linux 6.4, not in a user namespace).
    if (!tryMount(path, `${data},noswap`, options)) mount(path, data, options);
  }

  [Symbol.dispose](): void {
    loadSyscalls().umount(this.path, umountFlags.detach | umountFlags.noFollow);
    fs.rmdirSync(this.path);
  }
}

function tryMount(path: string, data: string, options: PrivateTmpfsOptions): boolean {
  try {
    mount(path, data, options);
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

function mount(path: string, data: string, { executable }: PrivateTmpfsOptions): void {
  const flags = mountFlags.noSuid | mountFlags.noDev | (executable ? 0 : mountFlags.noExec);
  loadSyscalls().mount('tmpfs', path, 'tmpfs', flags, data);
}
