import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type Descriptor, digestOf, mediaTypes } from '../../../src/oci/index.ts';
import {
  FaultPlan,
  openMemoryStorage,
  openPullThrough,
  openRepository,
  parseFaults,
  type PullThroughOptions,
  type RegistryServer,
  type RegistryServerOptions,
  type ServedRequest,
  startRegistry,
} from '../../../src/registry/index.ts';
import { pushArtifact, pushImage } from '../../contracts/target-contract.ts';
import { embeddedRegistry, quickSession } from '../embedded.ts';
import { send } from '../send.ts';

const session = quickSession();
afterAll(() => session.close());
const closing: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

interface Pair {
  readonly upstream: RegistryServer;
  readonly cache: RegistryServer;
  readonly asked: ServedRequest[];
  readonly notes: string[];
  /** The repository at the upstream and at the cache. */
  readonly theirs: ReturnType<typeof openRepository>;
  readonly ours: ReturnType<typeof openRepository>;
}

async function pair(
  options: Partial<PullThroughOptions> = {},
  upstreamOptions: Partial<RegistryServerOptions> = {},
): Promise<Pair> {
  const asked: ServedRequest[] = [];
  const upstream = await startRegistry({
    storage: openMemoryStorage(),
    onRequest: (event) => void asked.push(event),
    ...upstreamOptions,
  });
  const notes: string[] = [];
  const open = (host: string) => openRepository(`${host}/a/b`, { session, credential: 'anonymous' });
  const through = openPullThrough({
    local: openMemoryStorage(),
    host: upstream.host,
    open: async (name) => openRepository(`${upstream.host}/${name}`, { session, credential: 'anonymous' }),
    onError: (message) => void notes.push(message),
    ...options,
  });
  const cache = await startRegistry({ storage: through.storage, ...through.rules, layers: through.layers });
  closing.push(upstream, cache);
  return { upstream, cache, asked, notes, theirs: open(upstream.host), ours: open(cache.host) };
}

const gets = (asked: readonly ServedRequest[], route: string): number =>
  asked.filter((each) => each.method === 'GET' && each.route === route).length;

async function pushBlob(
  target: ReturnType<typeof openRepository>,
  size: number,
): Promise<Descriptor & { content: Buffer }> {
  const content = randomBytes(size);
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf(content), size };
  await target.push(descriptor, content);
  return { ...descriptor, content };
}

describe('a cache of another registry', () => {
  it('has what the upstream has, and asks for it once', async () => {
    const { theirs, ours, asked, cache } = await pair();
    const image = await pushImage(theirs, 'through');
    await theirs.tag(image.descriptor, 'v1');
    const signature = await pushArtifact(theirs, image.descriptor, 'application/x-signature');
    asked.length = 0;
    for (let round = 0; round < 3; round++) {
      const fresh = openRepository(`${cache.host}/a/b`, { session, credential: 'anonymous' });
      expect(await fresh.resolve('v1')).toEqual(image.descriptor);
      expect(Buffer.concat((await (await fresh.fetch(image.layer)).toArray()) as Buffer[])).toEqual(
        image.blobs[0]?.content,
      );
    }
    expect([gets(asked, 'manifest'), gets(asked, 'blob')]).toEqual([1, 1]);
    expect((await ours.listTags()).toString()).toBe('v1');
    expect((await ours.referrers(image.descriptor.digest)).map(({ digest }) => digest)).toEqual([signature.digest]);
    const head = await send(cache.host, 'HEAD', `/v2/a/b/blobs/${image.config.digest}`);
    expect([head.status, head.headers['content-length']]).toEqual([200, `${image.config.size}`]);
    expect(gets(asked, 'blob')).toBe(1);
    await expect(ours.resolve('v2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await send(cache.host, 'GET', '/v2/no/such/tags/list')).code).toBe('NAME_UNKNOWN');
    expect((await send(cache.host, 'GET', `/v2/a/b/blobs/${digestOf(Buffer.from('none'))}`)).status).toBe(404);
  });

  it('downloads a blob once for all who want it at the same time, also parts of it', async () => {
    const { theirs, asked, cache } = await pair();
    const blob = await pushBlob(theirs, 3_000_000);
    asked.length = 0;
    const path = `/v2/a/b/blobs/${blob.digest}`;
    const [part, ...whole] = await Promise.all([
      send(cache.host, 'GET', path, { headers: { range: 'bytes=2000000-2999999' } }),
      ...Array.from({ length: 5 }, () => send(cache.host, 'GET', path)),
    ]);
    expect([part?.status, part?.body.equals(blob.content.subarray(2_000_000))]).toEqual([206, true]);
    expect(whole.map(({ status, body }) => status === 200 && body.equals(blob.content))).toEqual(whole.map(() => true));
    expect(gets(asked, 'blob')).toBe(1);
  });

  it('never gives the whole of a blob that is wrong, and keeps nothing of it', async () => {
    const faults = parseFaults(JSON.stringify({ faults: [{ on: 'get-blob', fault: 'corrupt' }] }));
    const { theirs, cache, upstream } = await pair({}, { faults: new FaultPlan(faults) });
    const blob = await pushBlob(theirs, 500_000);
    const path = `/v2/a/b/blobs/${blob.digest}`;
    await expect(send(cache.host, 'GET', path)).rejects.toThrow();
    expect((await send(upstream.host, 'HEAD', path)).status).toBe(200);
  });

  it('asks again for old tags, by HEAD; a tag that has moved is seen, and one that is gone is gone', async () => {
    let now = 0;
    const { theirs, asked, cache } = await pair({ tagLife: 1000, now: () => now });
    const [first, second] = [await pushImage(theirs, 'first'), await pushImage(theirs, 'second')];
    await theirs.tag(first.descriptor, 'v1');
    const digest = async () =>
      (await send(cache.host, 'HEAD', '/v2/a/b/manifests/v1')).headers['docker-content-digest'];
    now = 5000;
    expect(await digest()).toBe(first.descriptor.digest);
    await theirs.tag(second.descriptor, 'v1');
    now = 5900;
    expect(await digest()).toBe(first.descriptor.digest);
    asked.length = 0;
    now = 6100;
    expect(await digest()).toBe(second.descriptor.digest);
    now = 7200;
    expect(await digest()).toBe(second.descriptor.digest);
    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'HEAD']);
    await theirs.deleteTag('v1');
    now = 9000;
    expect(await digest()).toBeUndefined();
  });

  it('serves what is there while the upstream is not', async () => {
    const { theirs, cache, upstream, notes } = await pair({ tagLife: 0, rest: 60_000 });
    const image = await pushImage(theirs, 'offline');
    await theirs.tag(image.descriptor, 'v1');
    const ask = (path: string) => send(cache.host, 'GET', `/v2/a/b/${path}`);
    for (const path of ['manifests/v1', `blobs/${image.layer.digest}`]) expect((await ask(path)).status).toBe(200);
    await upstream.close();
    for (const path of [
      'manifests/v1',
      `blobs/${image.layer.digest}`,
      'tags/list',
      `referrers/${image.descriptor.digest}`,
    ])
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
    expect((await ask(`blobs/${image.config.digest}`)).status).toBe(502);
    expect((await ask('manifests/v2')).status).toBe(502);
    expect(notes.length).toBeGreaterThan(0);
  });

  it('refuses what writes, and what is asked of another registry', async () => {
    const { theirs, ours, cache, upstream } = await pair();
    const image = await pushImage(theirs, 'reading');
    await expect(pushImage(ours, 'writing')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(ours.deleteManifest(image.descriptor.digest)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const path = `/v2/a/b/manifests/${image.descriptor.digest}`;
    expect((await send(cache.host, 'GET', `${path}?ns=ghcr.io`)).code).toBe('NAME_UNKNOWN');
    const answer = await send(cache.host, 'GET', `${path}?ns=${upstream.host}`);
    expect([answer.status, answer.headers['oci-namespace']]).toEqual([200, upstream.host]);
  });

  it('never hands on a credential of a client, nor a challenge of the upstream', async () => {
    const seen: (string | undefined)[] = [];
    const { cache } = await pair(
      {},
      {
        layers: [
          async ({ request, response }) => {
            seen.push(request.headers.authorization);
            response.writeHead(401, { 'www-authenticate': 'Basic realm="upstream"', 'content-length': '0' });
            response.end();
          },
        ],
      },
    );
    const answer = await send(cache.host, 'GET', '/v2/a/b/manifests/v1', { headers: { authorization: 'Basic YTpi' } });
    expect([answer.status, answer.code, answer.headers['www-authenticate']]).toEqual([403, 'DENIED', undefined]);
    expect(seen.filter((each) => each !== undefined)).toEqual([]);
  });

  it('keeps it on disk', async () => {
    await using upstream = await embeddedRegistry();
    const image = await pushImage(openRepository(`${upstream.host}/a/b`, { session, credential: 'anonymous' }), 'disk');
    await using disk = await embeddedRegistry();
    const { openDiskStorage } = await import('../../../src/registry/index.ts');
    const local = await openDiskStorage(disk.root);
    const open = async (name: string) =>
      openRepository(`${upstream.host}/${name}`, { session, credential: 'anonymous' });
    const through = openPullThrough({ local, host: upstream.host, open });
    const cache = await startRegistry({ storage: through.storage, ...through.rules, layers: through.layers });
    const paths = [`blobs/${image.layer.digest}`, `manifests/${image.descriptor.digest}`].map(
      (path) => `/v2/a/b/${path}`,
    );
    for (const path of paths) expect((await send(cache.host, 'GET', path)).status).toBe(200);
    await cache.close();
    for (const path of paths) expect((await send(disk.host, 'GET', path)).status).toBe(200);
  });
});
