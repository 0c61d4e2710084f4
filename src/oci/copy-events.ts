import { SlipwayError, type SlipwayErrorOptions } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';

/** What happens to one piece of content during a copy. */
export type CopyEvent =
  | { readonly kind: 'started'; readonly descriptor: Descriptor }
  /** `bytes` were passed on so far. */
  | { readonly kind: 'progress'; readonly descriptor: Descriptor; readonly bytes: number }
  | { readonly kind: 'done'; readonly descriptor: Descriptor }
  /** It was there. */
  | { readonly kind: 'skipped'; readonly descriptor: Descriptor }
  /** The destination took it from a repository of its own. */
  | { readonly kind: 'mounted'; readonly descriptor: Descriptor; readonly from: string }
  /** A layer that may not be distributed: named by the manifest, not copied. */
  | { readonly kind: 'omitted'; readonly descriptor: Descriptor };

export type CopyErrorCode = 'COPY_FAILED';

export interface CopyErrorOptions extends SlipwayErrorOptions {
  readonly side: 'source' | 'destination';
  readonly place: string;
  readonly descriptor: Descriptor;
}

/** A copy failed on one side, which `side` and `place` name; `cause` is that side's own error. */
export class CopyError extends SlipwayError {
  readonly code: CopyErrorCode = 'COPY_FAILED';
  readonly side: 'source' | 'destination';
  readonly place: string;
  readonly descriptor: Descriptor;
  constructor(message: string, options: CopyErrorOptions) {
    super(message, options);
    this.side = options.side;
    this.place = options.place;
    this.descriptor = options.descriptor;
  }
}
