import { SystemError } from './error.ts';
import type { Library, NativeFunction } from './koffi.ts';
import { type Call, closeOnExec, terminated } from './native-call.ts';
import type { Syscalls } from './syscalls.ts';
import { writeFully } from './write-fully.ts';

const pointer = 'const void *';
const output = 'void *';
const texts = 'const char **';

/** Room for the structs of posix_spawn(3), which the C library keeps to itself: 80 and 336 bytes in glibc, less in musl. */
const structSize = 1024;
const signalSetSize = 128; // sigset_t
/** The same in glibc and musl. */
const flags = { signalDefaults: 4, signalMask: 8, newSession: 128 } as const;
const doNotWait = 1; // WNOHANG

/** Of memfd_create(2); kernels before 6.3 do not know that something is to be executed. */
const memoryFlags = { closeOnExec: 1, executable: 16 } as const;

/** pipe2(2), close(2), memfd_create(2), posix_spawn(3), waitpid(2). */
export function bindProcesses(
  libc: Library,
  call: Call,
  nameOf: (errno: number) => string,
): Pick<Syscalls, 'pipe' | 'close' | 'memoryFile' | 'spawn' | 'reap'> {
  const pipe2 = libc.func('pipe2', 'int', [output, 'int']);
  const close = libc.func('close', 'int', ['int']);
  const waitpid = libc.func('waitpid', 'int', ['int', output, 'int']);
  const spawn = libc.func('posix_spawn', 'int', [output, pointer, pointer, pointer, texts, texts]);
  let memfd: NativeFunction | undefined;
  const withActions = bindActions(libc);
  const attributes = bindAttributes(libc);
  return {
    pipe() {
      const ends = Buffer.alloc(8);
      call(pipe2, 'pipe2', '', ends, closeOnExec);
      return [ends.readInt32LE(0), ends.readInt32LE(4)];
    },
    close: (fd) => void call(close, 'close', `fd ${fd}`, fd),
    memoryFile(name, bytes) {
      // Bound here, because musl before 1.1.20 lacks it.
      const create = (memfd ??= libc.func('memfd_create', 'int', [pointer, 'uint']));
      const { closeOnExec, executable } = memoryFlags;
      let fd = Number(create(terminated(name), closeOnExec | executable));
      if (fd < 0) fd = call(create, 'memfd_create', name, terminated(name), closeOnExec);
      try {
        writeFully(fd, bytes);
      } catch (error) {
        call(close, 'close', name, fd);
        throw error;
      }
      return fd;
    },
    spawn([file = '', ...args], env, { descriptors, newSession }) {
      for (const text of [...args, ...env]) terminated(text); // refuses a NUL, which would cut it short
      const pid = Buffer.alloc(4);
      const errno = withActions(descriptors, (actions) =>
        Number(spawn(pid, terminated(file), actions, attributes(newSession), [file, ...args, null], [...env, null])),
      );
      if (errno === 0) return pid.readInt32LE(0);
      throw new SystemError('SYSCALL_FAILED', `cannot start ${file}: ${nameOf(errno)}`, { errno: nameOf(errno) });
    },
    reap(pid) {
      const status = Buffer.alloc(4);
      return call(waitpid, 'waitpid', `${pid}`, pid, status, doNotWait) === 0 ? undefined : status.readInt32LE(0);
    },
  };
}

/** posix_spawn_file_actions_t: which descriptors the child has. */
function bindActions(libc: Library): (descriptors: readonly number[], use: (actions: Buffer) => number) => number {
  const init = libc.func('posix_spawn_file_actions_init', 'int', [output]);
  const dup2 = libc.func('posix_spawn_file_actions_adddup2', 'int', [output, 'int', 'int']);
  const close = libc.func('posix_spawn_file_actions_addclose', 'int', [output, 'int']);
  const destroy = libc.func('posix_spawn_file_actions_destroy', 'int', [output]);
  return (descriptors, use) => {
    const actions = Buffer.alloc(structSize);
    init(actions);
    try {
      const spare = Math.max(...descriptors, descriptors.length) + 1;
      // From the last to the first: what is given away may be 0, 1 or 2 itself, and is then not yet replaced.
      for (let to = descriptors.length - 1; to >= 0; to--) {
        const from = descriptors[to] ?? -1;
        // Node closes its own on exec. Before glibc 2.29 a descriptor that becomes itself stays so: it goes round about.
        const way = from === to ? [spare, to] : [to];
        let at = from;
        for (const next of way) {
          required(dup2(actions, at, next));
          at = next;
        }
        if (from === to) required(close(actions, spare));
      }
      return use(actions);
    } finally {
      destroy(actions);
    }
  };
}

function required(result: unknown): void {
  if (Number(result) !== 0) throw new SystemError('SYSCALL_FAILED', 'posix_spawn: out of memory', { errno: 'ENOMEM' });
}

/** posix_spawnattr_t: all signals as after a start of the machine, whatever Node did to them. */
function bindAttributes(libc: Library): (newSession: boolean) => Buffer {
  const init = libc.func('posix_spawnattr_init', 'int', [output]);
  const setFlags = libc.func('posix_spawnattr_setflags', 'int', [output, 'short']);
  const setDefaults = libc.func('posix_spawnattr_setsigdefault', 'int', [output, pointer]);
  const setMask = libc.func('posix_spawnattr_setsigmask', 'int', [output, pointer]);
  return (newSession) => {
    const attributes = Buffer.alloc(structSize);
    init(attributes);
    setFlags(attributes, flags.signalDefaults | flags.signalMask | (newSession ? flags.newSession : 0));
    setDefaults(attributes, Buffer.alloc(signalSetSize, 0xff));
    setMask(attributes, Buffer.alloc(signalSetSize));
    return attributes; // posix_spawnattr_destroy does nothing in either library
  };
}
