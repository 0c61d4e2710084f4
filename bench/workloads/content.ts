/** Bytes made from a seed alone: the same on every machine, so that figures of different days are of the same work. */
export class Content {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0 || 1;
  }

  /** Below `limit`, from xorshift32. */
  next(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % limit;
  }

  /** Text that compresses about as the sources of programs do: lines of words, of which some come often. */
  text(length: number): Buffer {
    const parts: string[] = [];
    for (let size = 0; size < length; ) {
      const line = this.#line();
      parts.push(line);
      size += line.length;
    }
    return Buffer.from(parts.join('').slice(0, length), 'latin1');
  }

  /** Bytes that do not compress, as those of pictures and archives. */
  noise(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.ceil(length / 4) * 4);
    for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(this.next(0x1_0000_0000), at);
    return bytes.subarray(0, length);
  }

  #line(): string {
    const indent = '  '.repeat(this.next(4));
    const words = Array.from({ length: 2 + this.next(6) }, () => this.#word());
    return `${indent}${words.join(this.next(3) === 0 ? '.' : ' ')};\n`;
  }

  #word(): string {
    const often = Math.min(this.next(vocabulary.length), this.next(vocabulary.length), this.next(vocabulary.length));
    return this.next(12) === 0 ? this.next(1_000_000).toString(36) : (vocabulary[often] ?? '');
  }
}

const syllables = [
  'get',
  'set',
  'on',
  'to',
  'Node',
  'Value',
  'State',
  'ctx',
  'Map',
  'is',
  'Error',
  'path',
  'opt',
  'Ref',
];
const keywords = 'const return function if export import === => ( ) { } this await = +'.split(' ');
const vocabulary: readonly string[] = [
  ...keywords,
  ...syllables.flatMap((first) => syllables.flatMap((second) => [`${first}${second}`, `${second}${first}Of`])),
];
