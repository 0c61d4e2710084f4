import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Descriptor, type Digest, digestOf, mediaTypes } from '../../../src/oci/index.ts';
import { mounts, pushCases, rangeCases } from './blob-cases.ts';
import { RepositoryClient } from './client.ts';
import { type Content, contentCases, ContentMaker, sparseCases } from './content.ts';

export interface ServedRegistry {
  readonly host: string;
  close(): Promise<void>;
}

/**
 * What OCI's conformance program asks of a registry (distribution-spec 1.1, with tags as parameters, cancelled uploads
 * and sparse manifests), each of its groups as a test.
 */
export function conformance(name: string, start: () => Promise<ServedRegistry>): void {
  describe(name, () => {
    let registry: ServedRegistry;
    let client: RepositoryClient;
    beforeAll(async () => {
      registry = await start();
      client = new RepositoryClient(registry.host, 'conformance/one');
    });
    afterAll(() => registry.close());

    describe('an empty registry', () => {
      it('answers the ping', async () => {
        expect((await client.send('GET', '/v2/')).status).toBe(200);
      });
      it('has no tags', async () => {
        const answer = await client.send('GET', 'tags/list');
        expect([200, 404]).toContain(answer.status);
      });
      it('lists no referrers', async () => {
        expect(await referrersOf(client, digestOf(randomBytes(9)))).toEqual([]);
      });
    });

    describe.each(['sha256', 'sha512'] as const)('blobs by %s', (algorithm) => {
      const random = (size: number) => {
        const bytes = randomBytes(size);
        return { digest: digestOf(bytes, algorithm), bytes };
      };
      it('that are missing are not found', async () => {
        for (const method of ['GET', 'HEAD']) {
          expect((await client.send(method, `blobs/${random(9).digest}`)).status).toBe(404);
        }
      });
      it.each(pushCases)('are pushed by %s', async (_, push) => {
        const blob = random(3 * 1024 - 5);
        await client.created(await push(client, blob), blob);
        await client.headsBlob(blob.digest, blob.bytes);
        await client.getsBlob(blob.digest, blob.bytes);
        await client.deletes(`blobs/${blob.digest}`);
      });
      it.each(pushCases)('with another digest are refused by %s', async (_, push) => {
        const { digest, bytes } = random(3 * 1024 - 5);
        const answer = await push(client, { digest, bytes: Buffer.concat([bytes, Buffer.from('oh no')]) });
        expect(answer.status).toBe(400);
        expect((await client.send('HEAD', `blobs/${digest}`)).status).toBe(404);
      });
      it.each([
        ['a named repository', '&from=conformance/two'],
        ['any repository', ''],
      ])('are mounted from %s', async (_, query) => {
        const blob = random(512);
        const other = client.in('conformance/two');
        await other.pushesBlob(blob);
        await mounts(client, query, blob.digest);
        await client.headsBlob(blob.digest, blob.bytes);
        await client.getsBlob(blob.digest, blob.bytes);
        await client.deletes(`blobs/${blob.digest}`);
        await other.getsBlob(blob.digest, blob.bytes);
        await other.deletes(`blobs/${blob.digest}`);
      });
      it('that cannot be mounted are uploaded', async () => {
        const blob = random(512);
        const location = await client.start(`?mount=${blob.digest}&from=conformance/two`);
        await client.created(await client.put(location, blob.digest, { bytes: blob.bytes }), blob);
        await client.deletes(`blobs/${blob.digest}`);
      });
      it('are given up half-way', async () => {
        const location = await client.start();
        expect((await client.send('DELETE', location)).status).toBe(204);
        expect((await client.send('GET', location)).status).toBe(404);
      });
      it.each(rangeCases)('give the range %s', async (range, status, from, to) => {
        const { digest, bytes } = random(2048);
        await client.pushesBlob({ digest, bytes });
        const answer = await client.send('GET', `blobs/${digest}`, { headers: { range: `bytes=${range}` } });
        expect(answer.status).toBe(status);
        if (status === 206) {
          expect(answer.body.equals(bytes.subarray(from, to + 1))).toBe(true);
          expect(answer.headers).toMatchObject({
            'content-length': `${to + 1 - from}`,
            'content-range': `bytes ${from}-${to}/2048`,
          });
        }
        await client.deletes(`blobs/${digest}`);
      });
      it.each([
        ['nothing', ''],
        ['an empty object', '{}'],
      ])('may hold %s', async (_, text) => {
        const blob = { digest: digestOf(text, algorithm), bytes: Buffer.from(text) };
        await client.pushesBlob(blob);
        await client.headsBlob(blob.digest, blob.bytes);
        await client.getsBlob(blob.digest, blob.bytes);
        await client.deletes(`blobs/${blob.digest}`);
      });
    });

    describe('a repository keeps', () => {
      it.each(Object.entries({ ...contentCases, ...sparseCases }))(
        '%s',
        async (_, { make, algorithm, tagParameters }) => {
          const content = new ContentMaker(algorithm);
          make(content);
          await pushes(client, content, tagParameters ?? false);
          await lists(client, content);
          await pulls(client, content);
          await refers(client, content);
          await deletes(client, content);
        },
      );
    });

    describe('a manifest', () => {
      it.each([
        ['digest', digestOf(randomBytes(9))],
        ['tag', 'missing'],
      ])('that is missing is not found by %s', async (_, reference) => {
        for (const method of ['GET', 'HEAD', 'DELETE']) {
          expect((await client.send(method, `manifests/${reference}`)).status).toBe(404);
        }
      });
      it('with another digest is refused', async () => {
        const content = new ContentMaker();
        const { digest } = content.image();
        for (const [each, bytes] of content.blobs) await client.pushesBlob({ digest: each, bytes });
        const bytes = Buffer.concat([content.manifests.get(digest) ?? Buffer.alloc(0), Buffer.from('  ')]);
        expect((await client.putManifest(digest, bytes)).status).toBe(400);
        expect((await client.putManifest('sha256:baddigeststring', bytes)).status).toBe(400);
        expect([400, 404]).toContain((await client.send('GET', 'manifests/sha256:baddigeststring')).status);
        expect((await client.send('HEAD', `manifests/${digest}`)).status).toBe(404);
        for (const each of content.blobs.keys()) await client.deletes(`blobs/${each}`);
      });
    });
  });
}

async function pushes(client: RepositoryClient, content: Content, tagParameters: boolean): Promise<void> {
  for (const [digest, bytes] of content.blobs) await client.pushesBlob({ digest, bytes });
  for (const [digest, bytes] of content.manifests) {
    const tags = tagParameters ? tagsOf(content, digest) : [];
    const query = tags.map((tag) => `tag=${tag}`).join('&');
    await putsManifest(client, `${digest}${query === '' ? '' : `?${query}`}`, bytes, digest);
  }
  if (tagParameters) return;
  for (const [tag, digest] of content.tags) {
    await putsManifest(client, tag, content.manifests.get(digest) ?? Buffer.alloc(0), digest);
  }
}

function tagsOf(content: Content, digest: Digest): readonly string[] {
  return [...content.tags].filter(([, target]) => target === digest).map(([tag]) => tag);
}

async function putsManifest(client: RepositoryClient, reference: string, bytes: Buffer, digest: Digest): Promise<void> {
  const answer = await client.putManifest(reference, bytes);
  expect([answer.status, answer.headers['docker-content-digest']]).toEqual([201, digest]);
  const { subject } = JSON.parse(bytes.toString()) as { subject?: Descriptor };
  expect(answer.headers['oci-subject']).toBe(subject?.digest);
  const tags = new URLSearchParams(reference.split('?')[1] ?? '').getAll('tag');
  expect(answer.headers['oci-tag']).toBe(tags.length === 0 ? undefined : tags.join(', '));
  expect((await client.send('GET', String(answer.headers['location']))).body.equals(bytes)).toBe(true);
}

async function lists(client: RepositoryClient, { tags }: Content): Promise<void> {
  if (tags.size === 0) return;
  const list = async (query: string): Promise<readonly string[]> =>
    (JSON.parse((await client.send('GET', `tags/list${query}`)).body.toString()) as { tags: string[] }).tags;
  const sorted = [...tags.keys()].sort();
  expect(await list('')).toEqual(sorted);
  for (const [at, tag] of sorted.entries()) expect(await list(`?last=${tag}`)).toEqual(sorted.slice(at + 1));
}

async function pulls(client: RepositoryClient, { tags, manifests, blobs }: Content): Promise<void> {
  for (const [tag, digest] of tags) await client.getsManifest(tag, digest, manifests.get(digest) ?? Buffer.alloc(0));
  for (const [digest, bytes] of manifests) await client.getsManifest(digest, digest, bytes);
  for (const [digest, bytes] of blobs) {
    await client.headsBlob(digest, bytes);
    await client.getsBlob(digest, bytes);
  }
}

async function referrersOf(client: RepositoryClient, subject: Digest, type?: string): Promise<readonly Descriptor[]> {
  const query = type === undefined ? '' : `?artifactType=${encodeURIComponent(type)}`;
  const answer = await client.send('GET', `referrers/${subject}${query}`);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, mediaTypes.ociIndex]);
  expect(answer.headers['oci-filters-applied']).toBe(type === undefined ? undefined : 'artifactType');
  const index = JSON.parse(answer.body.toString()) as { manifests: Descriptor[] };
  expect(index).toMatchObject({ schemaVersion: 2, mediaType: mediaTypes.ociIndex });
  return index.manifests;
}

async function refers(client: RepositoryClient, { referrers }: Content): Promise<void> {
  for (const [subject, expected] of referrers) {
    expect(byDigest(await referrersOf(client, subject))).toEqual(byDigest(expected));
    const types = new Set(expected.flatMap(({ artifactType }) => artifactType ?? []));
    for (const type of types) {
      const some = expected.filter(({ artifactType }) => artifactType === type);
      expect(byDigest(await referrersOf(client, subject, type))).toEqual(byDigest(some));
    }
  }
}

function byDigest(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  return descriptors.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

async function deletes(client: RepositoryClient, { tags, manifests, blobs, referrers }: Content): Promise<void> {
  for (const tag of tags.keys()) await client.deletes(`manifests/${tag}`);
  for (const digest of [...manifests.keys()].toReversed()) await client.deletes(`manifests/${digest}`);
  for (const digest of blobs.keys()) await client.deletes(`blobs/${digest}`);
  for (const subject of referrers.keys()) expect(await referrersOf(client, subject)).toEqual([]);
}
