import { open } from 'node:fs/promises';
import { ContentMaker } from './content.ts';
import { Random } from './random.ts';

/** A tree of made-up files, all decided by its seed. */
export interface TreeShape {
  readonly seed: string;
  readonly files: number;
  /** Sizes spread evenly over the magnitudes between these. */
  readonly sizes: readonly [least: number, most: number];
}

const filesPerFolder = 40;
const recordSize = 512;
const modifiedAt = 1_750_000_000;

/** Writes a tree as a plain ustar archive, half of it text and half programs, with the bytes that GNU tar writes for such files. */
export async function writeTree(file: string, { seed, files, sizes }: TreeShape): Promise<void> {
  const random = new Random(`${seed} sizes`);
  const maker = new ContentMaker(seed);
  const archive = await open(file, 'wx');
  try {
    for (let at = 0; at < files; at += 1) {
      const folder = Math.floor(at / filesPerFolder);
      const parent = `part${folder % 10}/package${folder}`;
      if (at % filesPerFolder === 0) await archive.write(folders(parent, folder));
      const size = sizeBetween(sizes, random);
      const isText = random.below(2) === 0;
      const content = isText ? maker.text(size) : maker.binary(size);
      const name = `${parent}/file${at}.${isText ? 'js' : 'so'}`;
      const padding = Buffer.alloc((recordSize - (size % recordSize)) % recordSize);
      await archive.write(Buffer.concat([header(name, { size, mode: 0o644 }), content, padding]));
    }
    await archive.write(Buffer.alloc(2 * recordSize));
  } finally {
    await archive.close();
  }
}

/** The first package of each part brings the part's own folder. */
function folders(parent: string, at: number): Buffer {
  const names = at < 10 ? [`part${at}/`, `${parent}/`] : [`${parent}/`];
  return Buffer.concat(names.map((name) => header(name, { size: 0, mode: 0o755 })));
}

function sizeBetween([least, most]: TreeShape['sizes'], random: Random): number {
  const unit = random.below(1 << 30) / (1 << 30);
  return Math.round(least * (most / least) ** unit);
}

/** Written here and not by the program that is measured. */
function header(name: string, { size, mode }: { readonly size: number; readonly mode: number }): Buffer {
  const block = Buffer.alloc(recordSize);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(name, 0, 100, 'latin1');
  block.write(octal(mode, 7) + octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(modifiedAt, 11), 100, 'latin1');
  block.write(`        ${name.endsWith('/') ? '5' : '0'}`, 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
