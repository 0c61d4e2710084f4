import type { Compression } from '../oci/index.ts';

const words: ReadonlyMap<string, Compression> = new Map([
  ['gzip', 'gzip'],
  ['zstd', 'zstd'],
  ['none', 'none'],
  ['uncompressed', 'none'],
]);

/** What outputs and cache exports call a compression, as BuildKit does. */
export function compressionCalled(word: string): Compression | undefined {
  return words.get(word);
}
