import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import { collect, digestOf, verifyStream } from '../../src/oci/index.ts';

const content = Buffer.alloc(200_000, 'slipway');
const descriptor = { mediaType: 'a/b', digest: digestOf(content), size: content.byteLength };
const forged = Buffer.from(content);
forged[199_999] = 0;

/** What comes through, and how it ends. */
async function through(...chunks: Buffer[]): Promise<{ bytes: number; ended: boolean; code: unknown }> {
  const stream = verifyStream(descriptor);
  let bytes = 0;
  let ended = false;
  let code: unknown;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.byteLength)).on('end', () => (ended = true));
  await pipeline(Readable.from(chunks, { objectMode: false }), stream).catch((error: { code: unknown }) => {
    code = error.code;
  });
  return { bytes, ended, code };
}

describe('verifyStream', () => {
  it('lets the right bytes through', async () => {
    expect(await through(content.subarray(0, 7), content.subarray(7))).toEqual({
      bytes: 200_000,
      ended: true,
      code: undefined,
    });
  });

  it.each<[string, Buffer[], string]>([
    ['other bytes', [forged], 'DIGEST_MISMATCH'],
    ['too few', [content.subarray(1)], 'SIZE_MISMATCH'],
    ['too many', [content, Buffer.from('x')], 'SIZE_MISMATCH'],
  ])('fails before its end with %s', async (_, chunks, code) => {
    expect(await through(...chunks)).toMatchObject({ ended: false, code });
  });
});

it('collect stops at the first byte too many, not at the end of the stream', async () => {
  let made = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        made += 1;
        yield Buffer.alloc(100_000);
      }
    })(),
    { objectMode: false },
  );
  await expect(collect(endless, descriptor)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  expect(made).toBeLessThan(20);
  expect(endless.destroyed).toBe(true);
});
