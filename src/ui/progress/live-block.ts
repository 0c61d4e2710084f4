import { clip, displayWidth } from '../width.ts';
import type { ProgressStream } from './types.ts';

const cursorUp = (lines: number): string => (lines > 0 ? `\u001b[${lines}A` : '');
const clearRight = '\u001b[K';
const clearDown = '\u001b[J';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const wrapOff = '\u001b[?7l';
const wrapOn = '\u001b[?7h';
/** Synchronised output (mode 2026): a terminal that knows it shows a frame only when it is whole; others ignore it. */
const beginFrame = '\u001b[?2026h';
const endFrame = '\u001b[?2026l';

/**
 * Lines at the bottom of a terminal that are drawn again and again, under lines that stay. It gives the terminal back in order
 * when the process ends, and when it is stopped (Ctrl-Z), and draws anew when it goes on or the terminal changes its size.
 */
export class LiveBlock {
  readonly #stream: ProgressStream;
  readonly #redraw: (() => void) | undefined;
  #drawn: readonly string[] = [];
  #open = false;
  readonly #restore = (): void => this.close();
  readonly #stopped = (): void => {
    this.close();
    process.kill(process.pid, 'SIGSTOP');
    this.#redraw?.();
  };
  readonly #resized = (): void => this.#redraw?.();

  /** @param redraw draws the block anew */
  constructor(stream: ProgressStream, redraw?: () => void) {
    this.#stream = stream;
    this.#redraw = redraw;
  }

  get width(): number {
    return Math.max(20, this.#stream.columns || 80);
  }

  /** Lines that a block may have without scrolling its own top away. */
  get height(): number {
    return Math.max(3, (this.#stream.rows || 24) - 2);
  }

  /** Writes `above`, to stay, and the block anew under it. One write, line over line, so that nothing flickers. */
  draw(above: readonly string[], block: readonly string[]): void {
    const { width } = this;
    const shown = block.slice(0, this.height).map((line) => clip(line, width));
    if (this.#open && above.length === 0 && sameLines(shown, this.#drawn)) return;
    const output = [
      beginFrame,
      this.#open ? '' : hideCursor,
      cursorUp(this.#rowsDrawn(width)),
      '\r',
      // What stays is written by the terminal's own rules, so that it can be selected and reflowed as a whole.
      ...above.map((line) => row(line, width)),
      wrapOff,
      ...shown.map((line) => row(line, width)),
      wrapOn,
      clearDown,
      endFrame,
    ].join('');
    if (!this.#open) this.#listen();
    this.#drawn = shown;
    this.#stream.write(output);
  }

  /** Takes the block away and gives the cursor back. */
  close(): void {
    if (!this.#open) return;
    this.draw([], []);
    this.#open = false;
    process.removeListener('exit', this.#restore);
    process.removeListener('SIGTSTP', this.#stopped);
    this.#stream.removeListener('resize', this.#resized);
    this.#stream.write(showCursor);
  }

  #listen(): void {
    this.#open = true;
    process.once('exit', this.#restore);
    process.on('SIGTSTP', this.#stopped);
    this.#stream.on('resize', this.#resized);
  }

  /** A terminal that has become narrower has wrapped what was drawn. */
  #rowsDrawn(width: number): number {
    return this.#drawn.reduce((rows, line) => rows + Math.max(1, Math.ceil(displayWidth(line) / width)), 0);
  }
}

/** A line over what was there. At the end of a full row the cursor still stands on its last column, which must stay. */
function row(line: string, width: number): string {
  const columns = displayWidth(line);
  return `${line}${columns > 0 && columns % width === 0 ? '' : clearRight}\n`;
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
