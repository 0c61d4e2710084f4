import { Readable } from 'node:stream';
import type { Verifier } from '../../oci/index.ts';
import type { BlobRequest, OpenRange, Range } from './blob-request.ts';
import type { Lanes } from './lanes.ts';
import { RangeStream, readAhead } from './range-stream.ts';

/** How a large blob is divided. */
export interface PieceOptions {
  readonly range: Range;
  /** The first piece, which showed that the registry knows Range. */
  readonly opened: OpenRange;
  readonly pieceSize: number;
  /** At once, of this blob. */
  readonly streams: number;
  readonly lanes: Lanes;
  readonly verifier: Verifier | undefined;
}

interface Piece {
  readonly stream: Promise<RangeStream>;
  readonly leave: () => void;
}

/**
 * A large blob by several connections: pieces are asked for ahead, each kept in memory until its turn, and passed on in order.
 * How many there are at once depends on how many connections are free.
 */
export class PieceStream extends Readable {
  readonly #request: BlobRequest;
  readonly #options: PieceOptions;
  /** In order; none of them is the current one. */
  readonly #ahead: Piece[] = [];
  /** Where the piece begins that nobody asked for yet. */
  #next: number;
  #current: RangeStream | undefined;

  constructor(request: BlobRequest, options: PieceOptions) {
    super({ highWaterMark: readAhead });
    this.#request = request;
    this.#options = options;
    const first = this.#rangeAt(options.range.start);
    this.#next = first.end;
    this.#attach(new RangeStream(request, { range: first, opened: options.opened }));
  }

  override _read(): void {
    this.#current?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    quietly(this.#current);
    for (const piece of this.#ahead.splice(0)) drop(piece);
    callback(error);
  }

  #rangeAt(start: number): Range {
    const { range, pieceSize } = this.#options;
    const end = this.#request.knowsRange ? Math.min(range.end, start + pieceSize) : range.end;
    return { start, end };
  }

  #attach(stream: RangeStream): void {
    this.#current = stream;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.once('error', (error) => this.destroy(error));
    stream.once('end', () => void this.#advance());
    this.#askAhead();
  }

  #take(chunk: Buffer): void {
    try {
      this.#options.verifier?.update(chunk);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (!this.push(chunk)) this.#current?.pause();
  }

  /** Pieces beside the current one, while connections are free and the registry gives parts. */
  #askAhead(): void {
    const { streams, lanes, range } = this.#options;
    while (this.#ahead.length < streams - 1 && this.#next < range.end && this.#request.knowsRange) {
      const leave = lanes.tryEnter();
      if (leave === undefined) return;
      this.#ahead.push({ stream: this.#open(), leave });
    }
  }

  #open(): Promise<RangeStream> {
    const range = this.#rangeAt(this.#next);
    this.#next = range.end;
    const opening = this.#request.open(range).then((opened) => {
      const stream = new RangeStream(this.#request, { range, opened, highWaterMark: this.#options.pieceSize });
      // told when it is its turn
      stream.on('error', () => {});
      stream.read(0);
      return stream;
    });
    opening.catch(() => {});
    return opening;
  }

  #finish(verifier: Verifier | undefined): void {
    try {
      verifier?.finish();
      this.push(null);
    } catch (error) {
      this.#request.blame();
      throw error;
    }
  }

  async #advance(): Promise<void> {
    this.#current = undefined;
    try {
      const { range, verifier } = this.#options;
      const piece = this.#ahead.shift();
      if (piece === undefined && this.#next >= range.end) {
        this.#finish(verifier);
        return;
      }
      const stream = await (piece?.stream ?? this.#open()).finally(() => piece?.leave());
      if (this.destroyed) return quietly(stream);
      if (stream.errored !== null) throw stream.errored;
      this.#attach(stream);
    } catch (error) {
      this.destroy(error as Error);
    }
  }
}

function drop({ stream, leave }: Piece): void {
  leave();
  void stream.then(quietly, () => undefined);
}

function quietly(stream: Readable | undefined): void {
  stream?.on('error', () => {}).destroy();
}
