import fs from 'node:fs';

const createFlags = fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW | fs.constants.O_WRONLY;
const special = 0o7000;

/** Writes one file after the other; holes stay holes. */
export class FileWriter {
  #fd = -1;
  #position = 0;
  #holes = false;
  /** The mode that the open file has, where that is known: special bits are only given after the owner. */
  madeMode: number | undefined;
  readonly #umask = readUmask();

  get fd(): number {
    return this.#fd;
  }

  /** Makes a new file; fails with EEXIST rather than open anything that is there. */
  open(path: string | Buffer, mode: number): void {
    const plain = (mode & special) === 0 && (mode & this.#umask) === 0;
    this.#fd = fs.openSync(path, createFlags, plain ? mode : 0o600);
    this.madeMode = plain ? mode : undefined;
    this.#position = 0;
    this.#holes = false;
  }

  write(chunk: Buffer): void {
    let done = 0;
    while (done < chunk.length) {
      const at = this.#holes ? this.#position + done : null;
      done += fs.writeSync(this.#fd, chunk, done, chunk.length - done, at);
    }
    this.#position += chunk.length;
  }

  skip(length: number): void {
    this.#holes = true;
    this.#position += length;
  }

  /** A hole at the end is made by the size alone. */
  complete(size: number): void {
    if (this.#holes) fs.ftruncateSync(this.#fd, size);
  }

  /** Sets the time last; `precise` does it where Node's seconds as a double are too coarse. */
  close(mtimeNs: bigint, precise: () => void): void {
    const seconds = mtimeNs / 1_000_000_000n;
    const whole = seconds * 1_000_000_000n === mtimeNs;
    if (whole) fs.futimesSync(this.#fd, Number(seconds), Number(seconds));
    this.abandon();
    if (!whole) precise();
  }

  abandon(): void {
    if (this.#fd !== -1) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** Without setting it, which `process.umask()` did for a moment. */
function readUmask(): number {
  const match = /^Umask:\s*([0-7]+)$/m.exec(fs.readFileSync('/proc/self/status', 'latin1'));
  return match === null ? 0o777 : Number.parseInt(match[1] ?? '777', 8);
}
