import { Random } from './random.ts';

const letters = 'etaoinshrdlucmfwypvbgkjqxz';

/** Makes content that compresses about as well as that of real images: prose and code to a third, programs to a half. */
export class ContentMaker {
  readonly #random: Random;
  readonly #phrases: readonly Buffer[];

  constructor(seed: string) {
    this.#random = new Random(seed);
    const words = Array.from({ length: 6000 }, () => this.#word());
    this.#phrases = Array.from({ length: 60_000 }, () => this.#phrase(words));
  }

  /** Lines of words, some of which are frequent. */
  text(length: number): Buffer {
    const content = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) at += this.#somePhrase().copy(content, at);
    return content;
  }

  /** Pieces of tables, words and what looks like machine code. */
  binary(length: number): Buffer {
    const content = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const kind = this.#random.below(10);
      const size = Math.min(64 + this.#random.below(960), length - at);
      if (kind < 3) this.#random.bytes(size).copy(content, at);
      else if (kind < 7) this.#code(size).copy(content, at);
      else if (kind < 9) this.text(size).copy(content, at);
      at += size;
    }
    return content;
  }

  /** Opcodes from a small set, with operands between them. */
  #code(length: number): Buffer {
    const content = this.#random.bytes(length);
    for (let at = 0; at < length; at += 1) {
      if (at % 4 !== 3) content[at] = this.#random.skewedBelow(192);
    }
    return content;
  }

  #word(): string {
    const length = 2 + this.#random.below(9);
    return Array.from({ length }, () => letters[this.#random.skewedBelow(letters.length)]).join('');
  }

  #phrase(words: readonly string[]): Buffer {
    const count = 3 + this.#random.below(6);
    const chosen = Array.from({ length: count }, () => words[this.#random.skewedBelow(words.length)]);
    const end = ['\n', ' ', ', ', ';\n', '(', ') '][this.#random.below(6)];
    return Buffer.from(`${chosen.join(' ')}${end}`);
  }

  #somePhrase(): Buffer {
    return this.#phrases[this.#random.skewedBelow(this.#phrases.length)] ?? Buffer.from('\n');
  }
}
