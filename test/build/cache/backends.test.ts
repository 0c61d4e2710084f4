import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { BackendTarget, type CacheBackend, portions } from '../../../src/build/cache/backend.ts';
import { GhaBackend } from '../../../src/build/cache/gha/backend.ts';
import { CacheService } from '../../../src/build/cache/gha/service.ts';
import { foreign } from '../../../src/build/cache/read-cache.ts';
import { S3Backend } from '../../../src/build/cache/s3/backend.ts';
import { describe as describeContent, mediaTypes } from '../../../src/oci/index.ts';
import { targetContract } from '../../contracts/target-contract.ts';
import { fakeGha } from '../../e2e/fake-gha.ts';
import { fakeS3 } from '../../e2e/fake-s3.ts';

const traits = { referrers: false };

async function bucket() {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKTEST';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  const server = await fakeS3();
  const place = { bucket: 'b', region: 'eu-test-1', prefix: 'p/', endpoint: server.url, pathStyle: true };
  const open = () => new BackendTarget(new S3Backend(place), foreign);
  return { server, target: open(), reopen: async () => open(), cleanup: () => server.close() };
}

async function service() {
  const server = await fakeGha();
  const open = () => new BackendTarget(new GhaBackend(new CacheService(server.url, server.token)), foreign);
  return { server, target: open(), reopen: async () => open(), cleanup: () => server.close() };
}

targetContract('a bucket', bucket, traits);
targetContract("GitHub's cache service", service, traits);

describe.each([
  ['a bucket', bucket, 16],
  ["GitHub's cache service", service, 32],
])('a large blob in %s', (_name, make, mebibytes) => {
  it('goes in parts, and comes back whole and from the middle', async () => {
    const { server, target, cleanup } = await make();
    try {
      const content = randomBytes(mebibytes * 1024 * 1024 + 1);
      const blob = describeContent(mediaTypes.ociLayerGzip, content);
      await target.push(
        blob,
        Readable.from([content.subarray(0, 1000), content.subarray(1000)], { objectMode: false }),
      );
      expect((await buffer(await target.fetch(blob))).equals(content)).toBe(true);
      const offset = content.length - 5;
      expect(await buffer(await target.fetch(blob, { offset }))).toEqual(content.subarray(offset));
      expect(server.requests.filter((line) => line.startsWith('PUT ')).length).toBeGreaterThanOrEqual(2);
    } finally {
      await cleanup();
    }
  }, 60_000);
});

describe('a download that breaks', () => {
  const content = Buffer.from('0123456789');
  const blob = describeContent(mediaTypes.ociLayerGzip, content);
  /** Each connection gives three bytes and breaks. */
  const breaking = (asked: number[]): CacheBackend => ({
    label: 'a bad line',
    read: async (_name, { offset = 0 }) => {
      asked.push(offset);
      return Readable.from(
        (async function* () {
          yield content.subarray(offset, offset + 3);
          if (offset + 3 < content.length) throw new Error('connection reset');
        })(),
        { objectMode: false },
      );
    },
    has: async () => true,
    writeIfAbsent: async () => {},
    readLatest: async () => undefined,
    writeLatest: async () => {},
    hasForeign: async () => false,
  });

  it('goes on where it broke', async () => {
    const asked: number[] = [];
    expect(await buffer(await new BackendTarget(breaking(asked), foreign).fetch(blob))).toEqual(content);
    expect(asked).toEqual([0, 3, 6, 9]);
  });
});

describe('portions', () => {
  const stream = async function* (...sizes: readonly number[]) {
    for (const size of sizes) yield Buffer.alloc(size);
  };
  const cases: readonly (readonly [readonly number[], readonly number[]])[] = [
    [[], [0]],
    [[3], [3]],
    [[4], [4]],
    [
      [2, 2, 2],
      [4, 2],
    ],
    [[9], [4, 4, 1]],
    [
      [1, 8, 3],
      [4, 4, 4],
    ],
  ];
  it.each(cases)('%j in fours is %j', async (sizes, expected) => {
    const found: number[] = [];
    for await (const portion of portions(stream(...sizes), 4)) found.push(portion.length);
    expect(found).toEqual(expected);
  });
});
