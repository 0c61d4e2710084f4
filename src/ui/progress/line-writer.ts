import type { ProgressStream } from './types.ts';

/** Writes whole lines, or holds them back for as long as the stream is another's. */
export class LineWriter {
  readonly #stream: ProgressStream;
  #held: string[] | undefined;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  line(line: string): void {
    if (this.#held === undefined) this.#stream.write(`${line}\n`);
    else this.#held.push(line);
  }

  lines(lines: readonly string[]): void {
    for (const line of lines) this.line(line);
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.lines(held);
  }
}
