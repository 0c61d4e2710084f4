/** A path as bytes: names in images need not be UTF-8. */
export type BytePath = Buffer | string;

/**
 * The system calls that Node lacks. All are synchronous, act on the calling thread, never follow a final symbolic link,
 * and throw SystemError SYSCALL_FAILED with `errno`.
 */
export interface Syscalls {
  mount(source: string, target: BytePath, type: string | null, flags: number, data: string | null): void;
  /** `flags`: see `umountFlags`. */
  umount(target: BytePath, flags: number): void;
  /** `mode` includes the file type bits. */
  mknod(path: BytePath, mode: number, major: number, minor: number): void;
  setXattr(path: BytePath, name: string, value: Uint8Array): void;
  /** undefined: the attribute is not there, or the file system has none. */
  getXattr(path: BytePath, name: string): Buffer | undefined;
  /** Names; empty where the file system has none. */
  listXattrs(path: BytePath): readonly string[];
  removeXattr(path: BytePath, name: string): void;
  /** Nanoseconds since 1970. */
  setTimes(path: BytePath, atimeNs: bigint, mtimeNs: bigint): void;
  /** Flags of unshare(2); user namespaces are refused by the kernel in a threaded process. */
  unshare(flags: number): void;
  /** Moves this thread into the namespace of the open file `fd`; `type` is its flag in `cloneFlags`. */
  setns(fd: number, type: number): void;
  /** Working directory of this thread alone, after `unshare(CLONE_FS)`. */
  chdir(path: BytePath): void;
  /**
   * Whether any process has the regular file open for writing, or mapped so; `fd` is open for reading only. undefined: the kernel
   * does not say (the file is another user's, or its file system knows no leases).
   */
  isOpenForWriting(fd: number): boolean | undefined;
  /** Writes the file system of the open file `fd` out to its disk. */
  syncfs(fd: number): void;
  /** A netlink(7) socket of the network that this thread is in, to which the kernel's routing answers. Close it as any file. */
  routeSocket(): number;
  /** Sends a message, on another thread, since the kernel may do all that it asks for meanwhile. */
  send(fd: number, message: Buffer): Promise<void>;
  /** What has come; it does not wait. */
  receive(fd: number): Buffer;
  /** The ends to read and to write, closed on exec. A worker thread's table of open files does not have them: close them by `close`. */
  pipe(): readonly [number, number];
  close(fd: number): void;
  /** A file in memory with these bytes, which can be executed and closes on exec. Close it by `close`. */
  memoryFile(name: string, bytes: Buffer): number;
  /** See `startProcess`. Returns the pid of a child of this thread. */
  spawn(argv: readonly string[], env: readonly string[], how: SpawnDetails): number;
  /** How a child ended, as wait(2) tells it, once: then its pid is free for others. undefined: it has not ended. */
  reap(pid: number): number | undefined;
}

export interface SpawnDetails {
  /** By descriptor in the child: the one of this process that it is. */
  readonly descriptors: readonly number[];
  readonly newSession: boolean;
}

export const mountFlags = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  recursive: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  relatime: 1 << 21,
} as const;

export const umountFlags = { force: 1, detach: 2, noFollow: 8 } as const;

export const cloneFlags = {
  newNamespaceMount: 0x00020000,
  newNamespaceNetwork: 0x40000000,
  fileSystem: 0x00000200,
} as const;
