import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Descriptor, type Digest, digestOf, mediaTypes } from '../../src/oci/index.ts';
import {
  collectGarbage,
  type DiskStorage,
  openDiskStorage,
  type RegistryServer,
  startRegistry,
} from '../../src/registry/index.ts';
import { scratch } from './embedded.ts';
import { type Answer, send } from './send.ts';

let root: string;
let storage: DiskStorage;
let server: RegistryServer;
beforeEach(async () => {
  root = await mkdtemp(join(scratch, 'server-garbage-'));
  storage = await openDiskStorage(root);
  server = await startRegistry({ storage });
});
afterEach(async () => {
  await server.close();
  await rm(root, { recursive: true });
});

async function blob(name: string, content: string | Buffer = randomBytes(1000)): Promise<Descriptor> {
  const digest = digestOf(content);
  await send(server.host, 'POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: content });
  return { mediaType: mediaTypes.ociLayer, digest, size: content.length };
}

interface ManifestParts {
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
}

async function put(name: string, tag: string | undefined, parts: ManifestParts): Promise<[Descriptor, Answer]> {
  const { layers, manifests, subject } = parts;
  const mediaType = manifests === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
  const image = manifests === undefined ? { config: layers?.[0], layers } : { manifests };
  const body = JSON.stringify({ schemaVersion: 2, mediaType, ...image, subject });
  const digest = digestOf(body);
  const headers = { 'content-type': mediaType };
  const answer = await send(server.host, 'PUT', `/v2/${name}/manifests/${tag ?? digest}`, { headers, body });
  return [{ mediaType, digest, size: body.length }, answer];
}

async function manifest(name: string, tag: string | undefined, parts: ManifestParts): Promise<Descriptor> {
  const [descriptor, { status }] = await put(name, tag, parts);
  expect(status).toBe(201);
  return descriptor;
}

const isThere = async (name: string, kind: 'blobs' | 'manifests', { digest }: Descriptor): Promise<boolean> =>
  (await send(server.host, 'GET', `/v2/${name}/${kind}/${digest}`)).status === 200;
const inCommon = (digest: Digest): boolean => existsSync(join(root, '_blobs/sha256', digest.slice('sha256:'.length)));

describe('collecting garbage', () => {
  it('takes blobs that no manifest names, and their bytes with the last of them', async () => {
    const [used, unused, shared] = [await blob('a'), await blob('a'), await blob('a')];
    await send(server.host, 'POST', `/v2/b/blobs/uploads/?mount=${shared.digest}&from=a`);
    await manifest('a', 'v1', { layers: [used] });
    await manifest('b', 'v1', { layers: [shared] });

    const dry = await collectGarbage(storage, { grace: 0, dryRun: true });
    expect(await isThere('a', 'blobs', unused)).toBe(true);
    const collected = await collectGarbage(storage, { grace: 0 });
    expect(collected).toEqual(dry);
    const gone = [unused, shared].map(({ digest }) => ({ repository: 'a', digest }));
    expect(collected.blobs).toEqual(expect.arrayContaining(gone));
    expect(collected).toMatchObject({ manifests: [], bytes: 1000, unreadable: [] });
    expect(collected.blobs).toHaveLength(2);

    expect(await isThere('a', 'blobs', used)).toBe(true);
    expect(await isThere('a', 'blobs', shared)).toBe(false);
    expect(await isThere('b', 'blobs', shared)).toBe(true);
    expect([used, unused, shared].map(({ digest }) => inCommon(digest))).toEqual([true, false, true]);
    expect((await collectGarbage(storage, { grace: 0 })).blobs).toEqual([]);
  });

  it('leaves alone what is young', async () => {
    const young = await blob('a');
    const untagged = await manifest('a', undefined, { layers: [young] });
    const collected = await collectGarbage(storage, { deleteUntagged: true });
    expect(collected).toMatchObject({ manifests: [], blobs: [], bytes: 0 });
    expect(await isThere('a', 'manifests', untagged)).toBe(true);
  });

  it('takes untagged manifests when told, but neither parts of an index nor what refers to what stays', async () => {
    const layers = [await blob('a')];
    const lost = [await blob('a')];
    const child = await manifest('a', undefined, { layers });
    const index = await manifest('a', 'v1', { manifests: [child] });
    const referrer = await manifest('a', undefined, { layers, subject: index });
    const nested = await manifest('a', undefined, { layers, subject: referrer });
    const orphan = await manifest('a', undefined, { layers: lost });
    const ofOrphan = await manifest('a', undefined, { layers: lost, subject: orphan });
    expect((await collectGarbage(storage, { grace: 0 })).manifests).toEqual([]);

    const collected = await collectGarbage(storage, { grace: 0, deleteUntagged: true });
    expect(collected.manifests.map(({ digest }) => digest).sort()).toEqual([orphan.digest, ofOrphan.digest].sort());
    expect(collected.blobs.map(({ digest }) => digest)).toEqual(lost.map(({ digest }) => digest));
    for (const kept of [child, index, referrer, nested]) expect(await isThere('a', 'manifests', kept)).toBe(true);
    for (const gone of [orphan, ofOrphan]) expect(await isThere('a', 'manifests', gone)).toBe(false);
    const listed = await send(server.host, 'GET', `/v2/a/referrers/${orphan.digest}`);
    expect(JSON.parse(listed.body.toString())).toMatchObject({ manifests: [] });
    const view = JSON.parse(await readFile(join(root, 'a/index.json'), 'utf8')) as { manifests: Descriptor[] };
    expect(view.manifests).toHaveLength(4);
  });

  it('takes nothing of a repository of which it cannot read all', async () => {
    const [used, unused] = [await blob('a'), await blob('a')];
    const { digest } = await manifest('a', 'v1', { layers: [used] });
    await writeFile(join(root, 'a/blobs/sha256', digest.slice('sha256:'.length)), '{');
    expect(await collectGarbage(storage, { grace: 0, deleteUntagged: true })).toMatchObject({
      blobs: [],
      unreadable: ['a'],
    });
    expect(await isThere('a', 'blobs', unused)).toBe(true);
  });

  it('judges again what a killed collection had set aside', async () => {
    const [used, unused] = [await blob('a'), await blob('a')];
    await manifest('a', 'v1', { layers: [used] });
    await mkdir(join(root, 'a/_condemned/sha256'), { recursive: true });
    for (const { digest } of [used, unused]) {
      const hex = digest.slice('sha256:'.length);
      await rename(join(root, 'a/blobs/sha256', hex), join(root, 'a/_condemned/sha256', hex));
    }
    await collectGarbage(storage);
    expect(await isThere('a', 'blobs', used)).toBe(true);
    expect(await readdir(join(root, 'a/_condemned/sha256'))).toEqual([]);
  });

  it('brings back what a killed collection had hidden, where it cannot or need not judge', async () => {
    const layers = [await blob('a')];
    const untagged = await manifest('a', undefined, { layers });
    const hide = async (): Promise<void> => {
      const file = `sha256/${untagged.digest.slice('sha256:'.length)}.json`;
      await mkdir(join(root, 'a/_condemned-manifests/sha256'), { recursive: true });
      await rename(join(root, 'a/_manifests', file), join(root, 'a/_condemned-manifests', file));
      expect(await isThere('a', 'manifests', untagged)).toBe(false);
    };
    await hide();
    await collectGarbage(storage, { grace: 0 });
    expect(await isThere('a', 'manifests', untagged)).toBe(true);
    const { digest } = await manifest('a', 'v1', { layers: [...layers, await blob('a')] });
    await writeFile(join(root, 'a/blobs/sha256', digest.slice('sha256:'.length)), '{');
    await hide();
    expect(await collectGarbage(storage, { grace: 0, deleteUntagged: true })).toMatchObject({ unreadable: ['a'] });
    expect(await isThere('a', 'manifests', untagged)).toBe(true);
  });

  it('beside pushes leaves every image whole that was taken', async () => {
    let pushing = true;
    const collecting = (async () => {
      let rounds = 0;
      for (; pushing; rounds += 1) await collectGarbage(storage, { grace: 0, deleteUntagged: true });
      return rounds;
    })();
    const tags = Array.from({ length: 60 }, (_, at) => `t${at}`);
    const push = async (tag: string): Promise<Descriptor> => {
      for (;;) {
        const [descriptor, { status }] = await put('a', tag, { layers: [await blob('a', `of ${tag}`)] });
        if (status === 201) return descriptor;
        expect(status).toBe(404);
      }
    };
    for (const tag of tags) await push(tag);
    pushing = false;
    expect(await collecting).toBeGreaterThan(1);
    for (const tag of tags) {
      expect((await send(server.host, 'GET', `/v2/a/manifests/${tag}`)).status).toBe(200);
      expect(await isThere('a', 'blobs', blobOf(tag))).toBe(true);
    }
  }, 30_000);
});

function blobOf(tag: string): Descriptor {
  const content = `of ${tag}`;
  return { mediaType: mediaTypes.ociLayer, digest: digestOf(content), size: content.length };
}
