import { expect } from '@jest/globals';
import type { Digest } from '../../../src/oci/index.ts';
import { locationOf, type PushedBlob, type RepositoryClient } from './client.ts';

const chunk = 1024;

/** Ways to push a blob; each gives the answer to its last request. */
const pushes = {
  'one POST': (client: RepositoryClient, { digest, bytes }: PushedBlob) =>
    client.send('POST', `blobs/uploads/?digest=${digest}`, { body: bytes }),
  'POST and PUT': async (client: RepositoryClient, { digest, bytes }: PushedBlob) =>
    client.put(await client.start(), digest, { bytes }),
  'one chunk': async (client: RepositoryClient, { digest, bytes }: PushedBlob) => {
    const patched = await client.patch(await client.start(), bytes, 0);
    expect([patched.status, patched.headers['range']]).toEqual([202, `0-${bytes.length - 1}`]);
    return client.put(locationOf(patched), digest);
  },
  'a stream': async (client: RepositoryClient, { digest, bytes }: PushedBlob) => {
    const patched = await client.patch(await client.start(), bytes);
    expect(patched.status).toBe(202);
    return client.put(locationOf(patched), digest);
  },
  'three chunks': (client: RepositoryClient, blob: PushedBlob) => chunked(client, blob, {}),
  'three chunks, the last one by PUT': (client: RepositoryClient, blob: PushedBlob) =>
    chunked(client, blob, { putLast: true }),
  'chunks out of order first': (client: RepositoryClient, blob: PushedBlob) =>
    chunked(client, blob, { outOfOrder: true }),
  'chunks out of order first, the last one by PUT': (client: RepositoryClient, blob: PushedBlob) =>
    chunked(client, blob, { outOfOrder: true, putLast: true }),
} as const;

interface Chunking {
  readonly putLast?: boolean;
  readonly outOfOrder?: boolean;
}

async function chunked(client: RepositoryClient, { digest, bytes }: PushedBlob, options: Chunking) {
  let location = await client.start();
  for (let at = 0; at < bytes.length; at += chunk) {
    const end = Math.min(at + chunk, bytes.length);
    if (options.outOfOrder) location = await sendsTheWrongChunk(client, location, { digest, bytes, at, ...options });
    if (options.putLast && end === bytes.length) {
      return client.put(location, digest, { bytes: bytes.subarray(at, end), from: at });
    }
    const patched = await client.patch(location, bytes.subarray(at, end), at);
    expect([patched.status, patched.headers['range']]).toEqual([202, `0-${end - 1}`]);
    location = locationOf(patched);
  }
  return client.put(location, digest);
}

interface WrongChunk extends Chunking, PushedBlob {
  /** Where the next chunk would begin. */
  readonly at: number;
}

/** Skips a chunk, or starts again where there is none to skip; the upload must stay as it is. Gives its location. */
async function sendsTheWrongChunk(client: RepositoryClient, location: string, wrong: WrongChunk): Promise<string> {
  const { digest, bytes, at, putLast } = wrong;
  const from = at + chunk < bytes.length ? at + chunk : 0;
  const part = bytes.subarray(from, Math.min(from + chunk, bytes.length));
  const isLast = from + part.length === bytes.length;
  const answer =
    putLast && isLast
      ? await client.put(location, digest, { bytes: part, from })
      : await client.patch(location, part, from);
  if (from === at) throw new Error('that was the right chunk');
  expect([answer.status, from]).toEqual([416, from]);
  const status = await client.send('GET', location);
  expect([status.status, status.headers['range']]).toEqual([204, `0-${Math.max(0, at - 1)}`]);
  return locationOf(status);
}

export const pushCases = Object.entries(pushes);

export const rangeCases: readonly (readonly [range: string, status: number, start: number, end: number])[] = [
  ['500-1499', 206, 500, 1499],
  ['500-', 206, 500, 2047],
  ['-500', 206, 1548, 2047],
  ['2000-5000', 206, 2000, 2047],
  ['500-0', 416, 0, 0],
  ['5000-10000', 416, 0, 0],
];

export async function mounts(client: RepositoryClient, query: string, digest: Digest): Promise<void> {
  const answer = await client.send('POST', `blobs/uploads/?mount=${digest}${query}`);
  expect([answer.status, answer.headers['docker-content-digest']]).toEqual([201, digest]);
  expect((await client.send('GET', locationOf(answer))).status).toBe(200);
}
