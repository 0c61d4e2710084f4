import { loadKoffi, type NativeFunction } from './koffi.ts';

const arenaMax = -8; // M_ARENA_MAX of malloc.h
let limited = false;
let trim: NativeFunction | undefined;

/**
 * Lets all threads of the process share two memory arenas. By default glibc gives each thread one of its own and keeps there what was
 * freed: compressing and then sending a layer held 60 MB more. No effect with other C libraries, or where calls cannot be made.
 */
export function limitMemoryArenas(): void {
  if (limited) return;
  limited = true;
  try {
    const libc = loadKoffi().load('libc.so.6');
    libc.func('mallopt', 'int', ['int', 'int'])(arenaMax, 2);
    trim = libc.func('malloc_trim', 'int', ['size_t']);
  } catch {
    // musl has no arenas, and without koffi there is only more memory used
  }
}

/** Gives back to the kernel what all threads have freed. A millisecond or two, as there is much or little. */
export function returnFreedMemory(): void {
  limitMemoryArenas();
  trim?.(0);
}
