import { UsageError } from '../errors.ts';
import { readSize } from '../oci/index.ts';

/**
 * Bytes from docker's notation for memory and sizes: `512m`, `2GB`, `1.5gib`, plain bytes. Units are binary, as docker has it.
 * @throws UsageError
 */
export function parseSize(text: string): number {
  const bytes = readSize(text.trim());
  if (bytes === undefined)
    throw new UsageError(`invalid size: '${text}'`, { hint: 'Sizes look like 512m, 2g or 1048576.' });
  return bytes;
}
