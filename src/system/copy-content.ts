import { readSync } from 'node:fs';
import { loadKoffi, type NativeFunction } from './koffi.ts';
import { writeFully } from './write-fully.ts';

/** How a file's content came into another one: its blocks are shared, the kernel copied it, or it was read and written. */
export type CopyWay = 'shared' | 'copied' | 'read';

interface Calls {
  readonly ioctl: NativeFunction;
  readonly copyRange: NativeFunction;
}

let calls: Calls | 'none' | undefined;

/** `FICLONE` of linux/fs.h. */
const cloneRequest = 0x40049409;
const largestRange = 1 << 30;
const buffer = Buffer.allocUnsafeSlow(1 << 20);

/**
 * Copies whole files in the cheapest way that their file systems have, and remembers per device which ways there are not, so that
 * each is tried in vain once. Blocks: for workers.
 */
export class ContentCopier {
  readonly #noSharing = new Set<number>();
  readonly #noRanges = new Set<number>();

  /**
   * @param from open for reading, at its beginning
   * @param to open for writing, empty; always of the same file system
   * @param device of `from`
   */
  copy(from: number, to: number, device: number): CopyWay {
    calls ??= bindCalls() ?? 'none';
    if (calls !== 'none') {
      if (!this.#noSharing.has(device)) {
        if (Number(calls.ioctl(to, cloneRequest, from)) === 0) return 'shared';
        this.#noSharing.add(device);
      }
      if (!this.#noRanges.has(device)) {
        const copied = copyRanges(from, to, calls);
        if (copied === 'all') return 'copied';
        if (copied === 'refused') this.#noRanges.add(device);
      }
    }
    // From where ranges ended, should a file system break off.
    for (let length = 0; (length = readSync(from, buffer, 0, buffer.length, null)) > 0; )
      writeFully(to, buffer.subarray(0, length));
    return 'read';
  }
}

/** A kernel that copies nothing may only not know how (of files without a size): reading tells. */
function copyRanges(from: number, to: number, { copyRange }: Calls): 'all' | 'nothing' | 'refused' {
  for (let any = false; ; any = true) {
    const copied = Number(copyRange(from, null, to, null, largestRange, 0));
    if (copied < 0) return 'refused';
    if (copied === 0) return any ? 'all' : 'nothing';
  }
}

/** undefined where there is no koffi, or the C library knows no copy_file_range. */
function bindCalls(): Calls | undefined {
  try {
    const library = loadKoffi().load(null);
    const range = ['int', 'void *', 'int', 'void *', 'size_t', 'unsigned int'];
    return {
      ioctl: library.func('ioctl', 'int', ['int', 'unsigned long', 'int']),
      copyRange: library.func('copy_file_range', 'long', range),
    };
  } catch {
    return undefined;
  }
}
