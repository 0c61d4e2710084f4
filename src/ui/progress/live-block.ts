import { stripVTControlCharacters } from 'node:util';
import type { ProgressStream } from './types.ts';

const cursorUp = (lines: number): string => `\u001b[${lines}A`;
const clearDown = '\u001b[J';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const wrapOff = '\u001b[?7l';
const wrapOn = '\u001b[?7h';

/** Lines at the bottom of a terminal that are drawn again and again, under lines that stay. */
export class LiveBlock {
  readonly #stream: ProgressStream;
  #height = 0;
  #open = false;
  readonly #restore = (): void => this.close();

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  get width(): number {
    return Math.max(20, this.#stream.columns ?? 80);
  }

  /** Lines that a block may have without scrolling its own top away. */
  get height(): number {
    return Math.max(3, (this.#stream.rows ?? 24) - 2);
  }

  /** Writes `above`, to stay, and the block anew under it. One write, so that nothing flickers. */
  draw(above: readonly string[], block: readonly string[]): void {
    const shown = block.slice(0, this.height).map((line) => clip(line, this.width));
    let output = this.#open ? '' : hideCursor;
    if (this.#height > 0) output += cursorUp(this.#height);
    output += `\r${clearDown}`;
    output += above.map((line) => `${line}\n`).join('');
    output += wrapOff + shown.map((line) => `${line}\n`).join('') + wrapOn;
    if (!this.#open) process.once('exit', this.#restore);
    this.#open = true;
    this.#height = shown.length;
    this.#stream.write(output);
  }

  /** Takes the block away and gives the cursor back. */
  close(): void {
    if (!this.#open) return;
    this.draw([], []);
    this.#open = false;
    process.removeListener('exit', this.#restore);
    this.#stream.write(showCursor);
  }
}

/** Cuts a line to a width; colours do not count, and a cut line ends plain. */
export function clip(line: string, width: number): string {
  if (stripVTControlCharacters(line).length <= width) return line;
  let room = width - 1;
  let result = '';
  // oxlint-disable-next-line no-control-regex -- colour sequences are what is looked for
  for (const [part] of line.matchAll(/\u001b\[[0-9;:]*m|[^\u001b]/gu)) {
    if (part.startsWith('\u001b')) result += part;
    else if (room > 0) {
      result += part;
      room -= 1;
    }
  }
  return `${result}…\u001b[0m`;
}
