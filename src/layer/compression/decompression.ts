import { LayerError } from '../error.ts';

/** Takes compressed bytes and gives the plain ones to a callback; a promise is returned only where it cannot be done at once. */
export interface Decompression {
  write(chunk: Buffer): void | Promise<void>;
  /**
   * As `write`, one portion of plain bytes at a time (1 MiB at most where Node's inner objects work as expected): a small chunk may hold
   * gigabytes. Whoever goes on before taking what the last portion gave has to keep it.
   */
  steps(chunk: Buffer): Iterable<void | Promise<void>>;
  /** @throws LayerError TRUNCATED, INVALID_COMPRESSION */
  end(): void | Promise<void>;
  close(): void;
}

/** Receives plain bytes, which are only good during the call. */
export type OnPlain = (bytes: Buffer) => void;

/** Asked for where the next portion goes; what it gave before may be anybody's by then. Undefined: anywhere. */
export type PlainMemory = () => Buffer | undefined;

export function compressionError(kind: string, code: string | undefined, message: string): LayerError {
  return code === 'Z_BUF_ERROR'
    ? new LayerError('TRUNCATED', `the ${kind} data ends too early`)
    : new LayerError('INVALID_COMPRESSION', `corrupt ${kind} data: ${message}`);
}
