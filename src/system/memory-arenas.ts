import { loadKoffi } from './koffi.ts';

const arenaMax = -8; // M_ARENA_MAX of malloc.h
let limited = false;

/**
 * Lets all threads of the process share two memory arenas. By default glibc gives each thread one of its own and keeps there what was
 * freed: compressing and then sending a layer held 60 MB more. No effect with other C libraries, or where calls cannot be made.
 */
export function limitMemoryArenas(): void {
  if (limited) return;
  limited = true;
  try {
    loadKoffi().load('libc.so.6').func('mallopt', 'int', ['int', 'int'])(arenaMax, 2);
  } catch {
    // musl has no arenas, and without koffi there is only more memory used
  }
}
