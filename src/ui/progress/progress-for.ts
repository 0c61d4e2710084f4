import { PlainProgress } from './plain.ts';
import { JsonProgress, QuietProgress } from './quiet.ts';
import { TtyProgress } from './tty.ts';
import type { ProgressKind, ProgressOptions, ProgressRenderer, ProgressStream } from './types.ts';

/** The renderer for a kind of progress; `auto` draws on a terminal and writes lines elsewhere (pipes, files, CI, TERM=dumb). */
export function progressFor(kind: ProgressKind, stream: ProgressStream, options?: ProgressOptions): ProgressRenderer {
  switch (kind) {
    case 'auto':
      return canDraw(stream) ? new TtyProgress(stream, options) : new PlainProgress(stream, options);
    case 'tty':
      return new TtyProgress(stream, options);
    case 'plain':
      return new PlainProgress(stream, options);
    case 'quiet':
      return new QuietProgress(stream);
    case 'json':
      return new JsonProgress(stream);
  }
}

/** True for a terminal that moves its cursor and that a person watches. */
export function canDraw(stream: ProgressStream): boolean {
  return stream.isTTY === true && process.env['TERM'] !== 'dumb' && (process.env['CI'] ?? '') === '';
}
