import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseDigest } from '../../src/oci/index.ts';
import { openLayout } from '../../src/transports/index.ts';

/** Large enough to be hashed and written in a thread, and no whole number of batches. */
const content = randomBytes((5 << 20) + 77);
const hex = createHash('sha256').update(content).digest('hex');
const descriptor = {
  mediaType: 'application/octet-stream',
  digest: parseDigest(`sha256:${hex}`),
  size: content.length,
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-layout-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function pieces(bytes: Buffer, size = 70_001): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

test('a large blob arrives whole, and its progress is told to the last byte', async () => {
  const layout = await openLayout(folder, { create: true });
  let told = 0;
  const source = async () => Readable.from(pieces(content));
  await layout.pushFrom(descriptor, source, { onProgress: (bytes) => (told = bytes) });
  expect(readFileSync(join(folder, 'blobs/sha256', hex)).equals(content)).toBe(true);
  expect(told).toBe(content.length);
});

const wrong = Buffer.from(content);
wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
test.each([
  ['one wrong byte', wrong, 'DIGEST_MISMATCH'],
  ['a byte too many', Buffer.concat([content, Buffer.from('x')]), 'SIZE_MISMATCH'],
  ['a byte too few', content.subarray(1), 'SIZE_MISMATCH'],
])('%s is refused and leaves nothing', async (_, bytes, code) => {
  const layout = await openLayout(folder, { create: true });
  await expect(layout.pushFrom(descriptor, async () => Readable.from(pieces(bytes)))).rejects.toMatchObject({ code });
  expect(readdirSync(join(folder, 'blobs/sha256'))).toEqual([]);
  expect(readdirSync(join(folder, '.slipway')).filter((name) => name.endsWith('.part'))).toEqual([]);
});

test('a source that breaks fails with its own error', async () => {
  const layout = await openLayout(folder, { create: true });
  const breaking = async () =>
    Readable.from(
      (async function* () {
        yield* pieces(content).slice(0, 20);
        throw new Error('the wire broke');
      })(),
    );
  await expect(layout.pushFrom(descriptor, breaking)).rejects.toThrow('the wire broke');
  expect(readdirSync(join(folder, 'blobs/sha256'))).toEqual([]);
});
