import { type CopyEvent, type Descriptor, isConfigType, isDocumentType, mediaTypes } from '../../oci/index.ts';
import { escapeControls } from '../escape.ts';
import { shortId } from '../id.ts';
import { formatSize } from '../../oci/index.ts';
import { bar } from './bar.ts';
import { LiveBlock } from './live-block.ts';
import { canDraw } from './progress-for.ts';
import type { ProgressKind, ProgressStream } from './types.ts';

/** Which way content moves decides docker's words for it. */
export type CopyDirection = 'pull' | 'push';

export interface CopyProgress {
  event(event: CopyEvent): void;
  /** Writes what is still held back; may be called again. */
  end(): void;
}

const words = {
  pull: { started: 'Pulling fs layer', progress: 'Downloading', done: 'Pull complete', skipped: 'Already exists' },
  push: { started: 'Preparing', progress: 'Pushing', done: 'Pushed', skipped: 'Layer already exists' },
} as const;

/** Milliseconds between two drawings. */
const interval = 100;
const barWidth = 30;

/** Progress of a pull, push or copy in docker's words: bars on a terminal, lines elsewhere; `json` writes the events. */
export function copyProgress(
  kind: ProgressKind,
  direction: CopyDirection,
  stream: ProgressStream = process.stderr,
): CopyProgress {
  if (kind === 'quiet') return { event: () => {}, end: () => {} };
  if (kind === 'json' || kind === 'rawjson')
    return { event: (event) => void stream.write(`${JSON.stringify(event)}\n`), end: () => {} };
  if (kind === 'tty' || (kind === 'auto' && canDraw(stream))) return new CopyBars(stream, direction);
  return { event: (event) => writeLine(event, direction, stream), end: () => {} };
}

/** Layers, and blobs of whatever kind; manifests and configs are too small to be watched. */
function isShown({ mediaType }: Descriptor): boolean {
  return !isDocumentType(mediaType) && !isConfigType(mediaType) && mediaType !== mediaTypes.ociEmpty;
}

function writeLine(event: CopyEvent, direction: CopyDirection, stream: ProgressStream): void {
  if (event.kind === 'progress' || !isShown(event.descriptor)) return;
  stream.write(`${shortId(event.descriptor.digest)}: ${statusOf(event, direction)}\n`);
}

function statusOf(event: CopyEvent, direction: CopyDirection): string {
  switch (event.kind) {
    case 'mounted':
      return `Mounted from ${escapeControls(event.from)}`;
    case 'omitted':
      return 'Skipped foreign layer';
    case 'started':
    case 'progress':
    case 'done':
    case 'skipped':
      return words[direction][event.kind];
  }
}

interface Bar {
  readonly descriptor: Descriptor;
  bytes: number;
}

class CopyBars implements CopyProgress {
  readonly #direction: CopyDirection;
  readonly #block: LiveBlock;
  readonly #bars = new Map<string, Bar>();
  #above: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: ProgressStream, direction: CopyDirection) {
    this.#direction = direction;
    this.#block = new LiveBlock(stream);
  }

  event(event: CopyEvent): void {
    if (!isShown(event.descriptor)) return;
    const { digest } = event.descriptor;
    if (event.kind === 'started') this.#bars.set(digest, { descriptor: event.descriptor, bytes: 0 });
    else if (event.kind === 'progress') this.#bars.set(digest, { descriptor: event.descriptor, bytes: event.bytes });
    else {
      this.#bars.delete(digest);
      this.#above.push(`${shortId(digest)}: ${statusOf(event, this.#direction)}`);
    }
    this.#timer ??= setInterval(() => this.#draw(), interval).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#bars.clear();
    if (this.#above.length > 0) this.#draw();
    this.#block.close();
  }

  #draw(): void {
    const above = this.#above;
    this.#above = [];
    const bars = [...this.#bars.values()].map((each) => barLine(each, words[this.#direction].progress));
    this.#block.draw(above, bars);
  }
}

function barLine({ descriptor, bytes }: Bar, verb: string): string {
  const share = descriptor.size === 0 ? 1 : bytes / descriptor.size;
  return `${shortId(descriptor.digest)}: ${verb} ${bar(share, barWidth)} ${formatSize(bytes)}/${formatSize(descriptor.size)}`;
}
