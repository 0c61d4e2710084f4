import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { copyGraph, type Descriptor, mediaTypes, serializeIndex, type Target } from '../../src/oci/index.ts';
import { openRepository, type RegistrySession, type ServedRequest } from '../../src/registry/index.ts';
import { MemoryTarget } from '../../src/transports/index.ts';
import { debianRegistry, type DebianRegistry, hasDebianRegistry } from './debian-registry.ts';
import { embeddedRegistry, type EmbeddedRegistry, quickSession } from './embedded.ts';
import { pushDocument, pushImage } from './made-images.ts';

const layers = Array.from({ length: 12 }, (_, at) => `layer ${at}`);

/** An index of two platforms that share twelve layers: fourteen blobs, two manifests. */
async function twoPlatforms(): Promise<{ readonly from: Target; readonly root: Descriptor }> {
  const from = new MemoryTarget('memory');
  const manifests: Descriptor[] = [];
  for (const architecture of ['amd64', 'arm64']) {
    const descriptor = await pushImage(from, undefined, { architecture, layers });
    manifests.push({ ...descriptor, platform: { os: 'linux', architecture } });
  }
  const index = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests });
  return { from, root: await pushDocument(from, mediaTypes.ociIndex, index) };
}

describe('requests for an image of two platforms and fourteen blobs', () => {
  let session: RegistrySession;
  let registry: EmbeddedRegistry;
  let served: ServedRequest[];
  let image: Awaited<ReturnType<typeof twoPlatforms>>;
  let asked = 0;
  let repositories = 0;

  beforeAll(async () => {
    session = quickSession();
    served = [];
    registry = await embeddedRegistry({ onRequest: (event) => served.push(event) });
    image = await twoPlatforms();
  });
  afterAll(async () => {
    await session.close();
    await registry.close();
  });
  beforeEach(() => {
    repositories += 1;
  });

  const repository = (name = `requests/r${repositories}`) =>
    openRepository(`${registry.host}/${name}`, {
      session,
      credential: 'anonymous',
      access: 'push',
      trace: () => (asked += 1),
    });
  /** What the registry was asked during `work`, by method. */
  async function counted(work: () => Promise<unknown>): Promise<Record<string, number>> {
    served.length = 0;
    asked = 0;
    await work();
    // the server tells of a request when its connection is done with it
    for (let wait = 1; served.length < asked && wait < 500; wait *= 2) await delay(wait);
    const counts: Record<string, number> = {};
    for (const { method } of served) counts[method] = (counts[method] ?? 0) + 1;
    return counts;
  }
  const push = (names: readonly string[] = ['v1'], to: Target = repository()) =>
    copyGraph(image.from, to, image.root, { names });

  it('a push: 46', async () => {
    expect(await counted(() => push())).toEqual({ HEAD: 15, POST: 14, PUT: 17 });
  });

  it('the same push again: 1', async () => {
    await push();
    expect(await counted(() => push())).toEqual({ HEAD: 1 });
  });

  it('the same image under another tag: what is there is not named again, 4', async () => {
    await push();
    expect(await counted(() => push(['v2']))).toEqual({ HEAD: 3, PUT: 1 });
  });

  it('a pull: 17', async () => {
    await push();
    const counts = await counted(async () => {
      const from = repository();
      const root = await from.resolve('v1', { reads: true });
      await copyGraph(from, new MemoryTarget('pulled'), root);
    });
    expect(counts).toEqual({ GET: 17 });
  });

  it('a copy within the registry: no bytes of blobs, mounts instead', async () => {
    await push();
    const from = repository();
    const counts = await counted(async () => {
      const root = await from.resolve('v1', { reads: true });
      await copyGraph(from, repository(`requests/copy${repositories}`), root, { names: ['v1'] });
    });
    expect(counts).toEqual({ GET: 3, HEAD: 15, POST: 14, PUT: 3 });
    expect(served.filter(({ method, path }) => method !== 'HEAD' && path.includes('/blobs/sha256'))).toEqual([]);
  });

  it('a push of an image whose layers another repository may have: an upload that opens instead of a mount is used', async () => {
    const other = repository('requests/empty');
    const to = repository();
    const counts = await counted(() => copyGraph(image.from, to, image.root, { names: ['v1'], mountFrom: [other] }));
    expect(counts).toEqual({ HEAD: 15, POST: 14, PUT: 17 });
  });

  (hasDebianRegistry ? describe : describe.skip)('to docker-registry', () => {
    let debian: DebianRegistry;
    beforeAll(async () => {
      debian = await debianRegistry();
    });
    afterAll(() => debian.close());

    it('are as many', async () => {
      asked = 0;
      const name = `${debian.host}/requests/app`;
      const trace = (): number => (asked += 1);
      const options = { session, credential: 'anonymous', access: 'push', trace } as const;
      await push(['v1'], openRepository(name, options));
      expect(asked).toBe(46);
      asked = 0;
      const from = openRepository(name, options);
      await copyGraph(from, new MemoryTarget('pulled'), await from.resolve('v1', { reads: true }));
      expect(asked).toBe(17);
    });
  });
});
