import { SystemError } from './error.ts';
import { type Koffi, type Library, loadKoffi } from './koffi.ts';
import { type Call, terminated } from './native-call.ts';
import { printablePath } from './printable-path.ts';
import { bindProcesses } from './process-calls.ts';
import type { BytePath, Syscalls } from './syscalls.ts';

let cached: Syscalls | undefined;

/**
 * The system calls of this thread, loaded at the first call (about 1 ms). Beside the rule of `Syscalls`, mount(2) and
 * chdir(2) have no way not to follow a final symbolic link: give them a path of `/proc/self/fd` where that matters.
 * @throws SystemError SYSCALLS_UNAVAILABLE
 */
export function loadSyscalls(): Syscalls {
  cached ??= bindSyscalls(loadKoffi());
  return cached;
}

const pointer = 'const void *';
const output = 'void *';
const currentDirectory = -100; // AT_FDCWD
const symlinkNoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
const largestXattr = 65536; // XATTR_SIZE_MAX and XATTR_LIST_MAX of linux/limits.h
const nanosecondsPerSecond = 1_000_000_000n;

/** The same, but undefined where there is no such attribute: the common case, so no error object is made for it. */
type CallForAttribute = (...values: Parameters<Call>) => number | undefined;

function bindSyscalls(koffi: Koffi): Syscalls {
  const libc = openLibc(koffi);
  const names = errnoNames(koffi);
  const attribute: CallForAttribute = (fn, name, subject, ...values) => {
    const result = Number(fn(...values));
    if (result >= 0) return result;
    const errno = koffi.errno();
    if (errno === koffi.os.errno['ENODATA'] || errno === koffi.os.errno['ENOTSUP']) return undefined;
    throw failure(name, subject, names.get(errno) ?? `errno ${errno}`);
  };
  const call: Call = (fn, name, subject, ...values) => {
    const result = Number(fn(...values));
    if (result >= 0) return result;
    const errno = koffi.errno();
    throw failure(name, subject, names.get(errno) ?? `errno ${errno}`);
  };
  return {
    ...bindMounts(libc, call),
    ...bindFiles(libc, koffi, call),
    ...bindXattrs(libc, call, attribute),
    ...bindSockets(libc, call),
    ...bindProcesses(libc, call, (number) => names.get(number) ?? `errno ${number}`),
  };
}

function bindMounts(libc: Library, call: Call): Pick<Syscalls, 'mount' | 'umount' | 'unshare' | 'setns' | 'chdir'> {
  const mount = libc.func('mount', 'int', [pointer, pointer, pointer, 'unsigned long', pointer]);
  const umount = libc.func('umount2', 'int', [pointer, 'int']);
  const unshare = libc.func('unshare', 'int', ['int']);
  const setns = libc.func('setns', 'int', ['int', 'int']);
  const chdir = libc.func('chdir', 'int', [pointer]);
  return {
    mount(source, target, type, flags, data) {
      const rest = [type === null ? null : terminated(type), flags, data === null ? null : terminated(data)];
      call(mount, 'mount', target, terminated(source), terminated(target), ...rest);
    },
    umount: (target, flags) => void call(umount, 'umount', target, terminated(target), flags),
    unshare: (flags) => void call(unshare, 'unshare', `0x${flags.toString(16)}`, flags),
    setns: (fd, type) => void call(setns, 'setns', `fd ${fd}`, fd, type),
    chdir: (path) => void call(chdir, 'chdir', path, terminated(path)),
  };
}

/** Numbers of fcntl(2). */
const fileControl = { setSignal: 10, setLease: 1024 } as const;
const leaseType = { read: 0, none: 2 } as const;
/** SIGURG: told to a lease's holder when a writer comes; the signal that it would be otherwise, SIGIO, ends a process. */
const ignoredSignal = 23;

function bindFiles(
  libc: Library,
  koffi: Koffi,
  call: Call,
): Pick<Syscalls, 'mknod' | 'setTimes' | 'syncfs' | 'isOpenForWriting'> {
  const mknod = bindMknod(libc);
  const utimensat = libc.func('utimensat', 'int', ['int', pointer, pointer, 'int']);
  const syncfs = libc.func('syncfs', 'int', ['int']);
  const fcntl = libc.func('fcntl', 'int', ['int', 'int', 'int']);
  const times = Buffer.alloc(32); // struct timespec[2] of a 64-bit machine
  return {
    mknod(path, mode, major, minor) {
      call(mknod, 'mknod', path, terminated(path), mode, deviceNumber(major, minor));
    },
    setTimes(path, atimeNs, mtimeNs) {
      writeTime(times, 0, atimeNs);
      writeTime(times, 16, mtimeNs);
      call(utimensat, 'utimensat', path, currentDirectory, terminated(path), times, symlinkNoFollow);
    },
    syncfs: (fd) => void call(syncfs, 'syncfs', `fd ${fd}`, fd),
    isOpenForWriting(fd) {
      // A read lease is given only while there is no writer (fcntl(2)). It is given back at once, for it would hold up the next one.
      const lease = (type: number) => Number(fcntl(fd, fileControl.setLease, type));
      if (Number(fcntl(fd, fileControl.setSignal, ignoredSignal)) < 0) return undefined;
      if (lease(leaseType.read) < 0) return koffi.errno() === koffi.os.errno['EAGAIN'] ? true : undefined;
      lease(leaseType.none);
      return false;
    },
  };
}

/** Numbers of socket(2), netlink(7) and recv(2). */
const netlink = { family: 16, rawAndCloseOnExec: 3 | 0x80000, route: 0 } as const;
const doNotWait = 0x40;
const largestAnswer = 32768;

function bindSockets(libc: Library, call: Call): Pick<Syscalls, 'routeSocket' | 'send' | 'receive'> {
  const socket = libc.func('socket', 'int', ['int', 'int', 'int']);
  const send = libc.func('send', 'long', ['int', pointer, 'size_t', 'int']);
  const receive = libc.func('recv', 'long', ['int', output, 'size_t', 'int']);
  return {
    routeSocket: () => call(socket, 'socket', 'netlink', netlink.family, netlink.rawAndCloseOnExec, netlink.route),
    send: (fd, message) =>
      new Promise((resolve, reject) => {
        send.async(fd, message, message.length, 0, (error: unknown, sent: unknown) => {
          if (error === null && Number(sent) === message.length) resolve();
          else reject(new SystemError('SYSCALL_FAILED', `send fd ${fd}: failed`, { cause: error }));
        });
      }),
    receive(fd) {
      const into = Buffer.alloc(largestAnswer);
      return into.subarray(0, call(receive, 'recv', `fd ${fd}`, fd, into, into.length, doNotWait));
    },
  };
}

function bindXattrs(
  libc: Library,
  call: Call,
  attribute: CallForAttribute,
): Pick<Syscalls, 'getXattr' | 'setXattr' | 'listXattrs' | 'removeXattr'> {
  const get = libc.func('lgetxattr', 'long', [pointer, pointer, output, 'size_t']);
  const set = libc.func('lsetxattr', 'int', [pointer, pointer, pointer, 'size_t', 'int']);
  const list = libc.func('llistxattr', 'long', [pointer, output, 'size_t']);
  const remove = libc.func('lremovexattr', 'int', [pointer, pointer]);
  const scratch = Buffer.alloc(largestXattr);
  return {
    getXattr(path, name) {
      const values = [terminated(path), terminated(name), scratch, scratch.length];
      const length = attribute(get, 'lgetxattr', path, ...values);
      return length === undefined ? undefined : Buffer.from(scratch.subarray(0, length));
    },
    setXattr(path, name, value) {
      call(set, 'lsetxattr', path, terminated(path), terminated(name), value, value.byteLength, 0);
    },
    listXattrs(path) {
      const length = attribute(list, 'llistxattr', path, terminated(path), scratch, scratch.length);
      if (length === undefined || length === 0) return [];
      return scratch.toString('utf8', 0, length - 1).split('\0');
    },
    removeXattr: (path, name) => void call(remove, 'lremovexattr', path, terminated(path), terminated(name)),
  };
}

function openLibc(koffi: Koffi): Library {
  const own = koffi.load(null);
  try {
    own.func('umount2', 'int', [pointer, 'int']);
    return own;
  } catch {
    return koffi.load('libc.so.6');
  }
}

/** The C library has `mknod` since glibc 2.33 and always in musl; before, it was a macro over `__xmknod`. */
function bindMknod(libc: Library): (...values: readonly unknown[]) => unknown {
  try {
    return libc.func('mknod', 'int', [pointer, 'unsigned int', 'uint64_t']);
  } catch {
    const versioned = libc.func('__xmknod', 'int', ['int', pointer, 'unsigned int', pointer]);
    return (path, mode, device) => {
      const number = Buffer.alloc(8);
      number.writeBigUInt64LE(device as bigint);
      return versioned(0, path, mode, number);
    };
  }
}

/** The encoding of dev_t that glibc and musl share. */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

/** Seconds go down to the one before, so that times before 1970 keep their fraction. */
function writeTime(into: Buffer, offset: number, ns: bigint): void {
  const fraction = ((ns % nanosecondsPerSecond) + nanosecondsPerSecond) % nanosecondsPerSecond;
  into.writeBigInt64LE((ns - fraction) / nanosecondsPerSecond, offset);
  into.writeBigInt64LE(fraction, offset + 8);
}

/** Of two names for a number the one that Node's own errors use. */
function errnoNames(koffi: Koffi): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(koffi.os.errno)) names.set(number, name);
  for (const name of ['EAGAIN', 'EDEADLK', 'ENOTSUP']) names.set(koffi.os.errno[name] ?? -1, name);
  return names;
}

function failure(name: string, subject: BytePath, errno: string): SystemError {
  return new SystemError('SYSCALL_FAILED', `${name} ${printablePath(subject)}: ${errno}`, { errno });
}
