import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { returnFreedMemory } from './memory-arenas.ts';

/** Bytes of chunks that pass between two collections: more than wait anywhere for their turn, so that hardly one outlives two of them. */
const interval = 8 << 20;
/** Collections after which what was freed goes back to the kernel. */
const many = 8;
/** At the end the whole heap is looked through: that is when no chunk has passed for so long; milliseconds. */
const quietAfter = 200;

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;

let collect: Collect | undefined;
let passed = 0;
let collections = 0;
let quiet: NodeJS.Timeout | undefined;

/**
 * To be told of the chunks of large transfers by whoever has dealt with them: each lives in memory of its own outside of the heap, dead a moment later;
 * V8 does not count it as young, and looks through the whole heap once 32 MB of it have gathered. A look at the young generation alone
 * takes a millisecond or two: of 480 MB, this saves a fifth of the processor's time and 45 MB of memory. The C library keeps most of
 * what is freed in such small parts, until it is asked for it.
 */
export function chunkPassed(bytes: number): void {
  passed += bytes;
  if (passed < interval) return;
  passed = 0;
  collect ??= collector();
  collections += 1;
  collect({ type: 'minor' });
  // The first time it is what the start of the program left, a tenth of all.
  if (collections % many === 1) returnFreedMemory();
  if (collections >= many) quiet = (quiet ?? setTimeout(clearAll, quietAfter).unref()).refresh();
}

/** Never while chunks pass: such a collection also lets go of bytecode; with it transfers took a quarter more of the processor. */
function clearAll(): void {
  collect?.({ type: 'major' });
  returnFreedMemory();
}

/** V8's own function, which only contexts made after the flag have. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  return typeof found === 'function' ? (found as Collect) : () => undefined;
}
