import { UsageError } from '../errors.ts';

/**
 * All of standard input, when it is small.
 * @param limit bytes
 * @throws UsageError beyond it
 */
export async function readStandardInput(limit: number, input: NodeJS.ReadableStream = process.stdin): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) throw new UsageError(`standard input is longer than ${limit} bytes`, { exitCode: 1 });
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
