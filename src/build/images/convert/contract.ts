import type { CallOptions, Compression, Descriptor, DocumentFormat, Target } from '../../../oci/index.ts';

/** How an image is to be, where it is not to stay as it is. */
export interface ImageConversion {
  /** Whose media types; those that it has unless given. */
  readonly format?: DocumentFormat | undefined;
  /** How its layers are compressed; as they are unless given. */
  readonly compression?: Compression | undefined;
  readonly level?: number | undefined;
  /** Compresses layers anew that have this compression, too. */
  readonly force?: boolean | undefined;
}

export interface ConvertOptions extends CallOptions {
  /** Hears, in a sentence each, of what is lost and what was done. */
  readonly onNote: (note: string) => void;
}

/** An image in another form. What was made of it is in temporary files until it is disposed of. */
export interface ConvertedImage extends AsyncDisposable {
  /** What was made, and behind it the place that it was made from. */
  readonly target: Target;
  readonly root: Descriptor;
  /** Whether a blob was made here: then no registry has it to be mounted. */
  isMade(blob: Descriptor): boolean;
}
