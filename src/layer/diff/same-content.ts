import fs from 'node:fs';

/** Whether two regular files hold the same bytes. Neither is followed where it is a link. `buffers` are of one size. */
export function sameContent(a: string | Buffer, b: string | Buffer, [left, right]: readonly [Buffer, Buffer]): boolean {
  const first = fs.openSync(a, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const second = fs.openSync(b, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      for (;;) {
        const got = readFully(first, left);
        if (got !== readFully(second, right)) return false;
        if (Buffer.compare(left.subarray(0, got), right.subarray(0, got)) !== 0) return false;
        if (got < left.length) return true;
      }
    } finally {
      fs.closeSync(second);
    }
  } finally {
    fs.closeSync(first);
  }
}

function readFully(fd: number, buffer: Buffer): number {
  let filled = 0;
  while (filled < buffer.length) {
    const got = fs.readSync(fd, buffer, filled, buffer.length - filled, null);
    if (got === 0) break;
    filled += got;
  }
  return filled;
}
