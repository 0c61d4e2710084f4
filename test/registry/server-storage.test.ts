import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describe as describeContent, digestOf, mediaTypes } from '../../src/oci/index.ts';
import { openDiskStorage, openMemoryStorage, type RegistryStorage, startRegistry } from '../../src/registry/index.ts';
import { openLayout } from '../../src/transports/index.ts';
import { scratch } from './embedded.ts';
import { testCertificate } from './test-certificate.ts';
import { type Answer, send as sendTo, type SendOptions } from './send.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(scratch, 'server-storage-'));
});
afterEach(() => rm(root, { recursive: true }));

const config = { mediaType: mediaTypes.ociEmpty, digest: digestOf('{}'), size: 2 };

function image(note: string): string {
  const annotations = { note };
  return JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [], annotations });
}

/** Pushes an image and gives its digest. */
async function push(host: string, name: string, tag: string, body = image(tag)): Promise<string> {
  await sendTo(host, 'POST', `/v2/${name}/blobs/uploads/?digest=${config.digest}`, { body: '{}' });
  const headers = { 'content-type': mediaTypes.ociManifest };
  const answer = await sendTo(host, 'PUT', `/v2/${name}/manifests/${tag}`, { headers, body });
  expect(answer.status).toBe(201);
  return String(answer.headers['docker-content-digest']);
}

async function tagsIn(path: string): Promise<readonly (readonly [string | undefined, string])[]> {
  const index = JSON.parse(await readFile(join(path, 'index.json'), 'utf8')) as {
    manifests: { digest: string; annotations?: Record<string, string> }[];
  };
  return index.manifests.map(({ digest, annotations }) => [annotations?.['org.opencontainers.image.ref.name'], digest]);
}

describe('a repository on disk', () => {
  it('is an OCI layout', async () => {
    const storage = await openDiskStorage(root);
    const server = await startRegistry({ storage });
    const one = await push(server.host, 'shop/web', 'v1');
    const two = await push(server.host, 'shop/web', 'v2');
    await push(server.host, 'shop/web', 'v1', image('moved'));
    await sendTo(server.host, 'DELETE', `/v2/shop/web/manifests/${two}`);
    await server.close();
    const moved = digestOf(image('moved'));
    expect(await tagsIn(join(root, 'shop/web'))).toEqual([
      ['v1', moved],
      [undefined, one],
    ]);
    const layout = await openLayout(join(root, 'shop/web'));
    expect(await layout.resolve('v1')).toMatchObject({ digest: moved, mediaType: mediaTypes.ociManifest });
    expect(await layout.exists(config)).toBe(true);
    expect(await layout.exists({ ...config, digest: digestOf(image('v2')) })).toBe(false);
  });

  it('keeps apart names that a layout has for its own files', async () => {
    const storage = await openDiskStorage(root);
    await using server = await startRegistry({ storage });
    const names = ['a', 'a/blobs', 'a/blobs/sha256', 'a/index.json', 'a/oci-layout', 'blobs', 'index.json/a'];
    for (const name of names) await push(server.host, name, 'v1', image(name));
    await storage.settle();
    expect(await storage.repositories()).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
    for (const name of names) {
      const answer = await sendTo(server.host, 'GET', `/v2/${name}/manifests/v1`);
      expect([name, answer.body.toString()]).toEqual([name, image(name)]);
    }
  });

  it('may have been made by another program', async () => {
    const layout = await openLayout(join(root, 'made/elsewhere'), { create: true });
    await layout.push(config, Buffer.from('{}'));
    const child = describeContent(mediaTypes.ociManifest, Buffer.from(image('child')));
    await layout.push(child, Buffer.from(image('child')));
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] });
    const index = describeContent(mediaTypes.ociIndex, Buffer.from(body));
    await layout.push(index, Buffer.from(body));
    await layout.tag(index, 'v1');
    const notes: string[] = [];
    await mkdir(join(root, 'broken'));
    await writeFile(join(root, 'broken/index.json'), '{');
    await using server = await startRegistry({
      storage: await openDiskStorage(root, { onNote: (note) => notes.push(note) }),
    });
    expect((await sendTo(server.host, 'GET', '/v2/made/elsewhere/manifests/v1')).body.toString()).toBe(body);
    const got = await sendTo(server.host, 'GET', `/v2/made/elsewhere/manifests/${child.digest}`);
    expect(got.body.toString()).toBe(image('child'));
    const mount = await sendTo(server.host, 'POST', `/v2/other/blobs/uploads/?mount=${config.digest}`);
    expect(mount.status).toBe(201);
    expect(notes).toEqual([expect.stringMatching(/^the layout in broken is not served: /)]);
  });

  it('has bytes that are a manifest and a blob as both, until both are deleted', async () => {
    await using server = await startRegistry({ storage: await openDiskStorage(root) });
    const send = (method: string, path: string, options?: SendOptions): Promise<Answer> =>
      sendTo(server.host, method, path, options);
    const digest = await push(server.host, 'a', 'v1');
    expect((await send('HEAD', `/v2/a/blobs/${digest}`)).status).toBe(404);
    expect((await send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(404);
    await send('POST', `/v2/a/blobs/uploads/?digest=${digest}`, { body: image('v1') });
    expect((await send('DELETE', `/v2/a/manifests/${digest}`)).status).toBe(202);
    expect((await send('GET', `/v2/a/blobs/${digest}`)).body.toString()).toBe(image('v1'));
    await push(server.host, 'a', 'v1');
    expect((await send('DELETE', `/v2/a/blobs/${digest}`)).status).toBe(202);
    expect((await send('GET', '/v2/a/manifests/v1')).status).toBe(200);
    expect((await send('DELETE', `/v2/a/manifests/${digest}`)).status).toBe(202);
    expect(await readdir(join(root, 'a/blobs/sha256'))).toEqual([config.digest.slice('sha256:'.length)]);
  });

  it('goes on with an upload that an earlier server had begun', async () => {
    const first = await startRegistry({ storage: await openDiskStorage(root) });
    const start = await sendTo(first.host, 'POST', '/v2/a/blobs/uploads/');
    const location = String(start.headers['location']);
    await sendTo(first.host, 'PATCH', location, { body: 'hello ' });
    await first.close();
    await using second = await startRegistry({ storage: await openDiskStorage(root) });
    expect((await sendTo(second.host, 'GET', location.replace('/a/', '/b/'))).status).toBe(404);
    expect((await sendTo(second.host, 'GET', location)).headers['range']).toBe('0-5');
    const digest = digestOf('hello world');
    expect((await sendTo(second.host, 'PUT', `${location}?digest=${digest}`, { body: 'world' })).status).toBe(201);
    expect((await sendTo(second.host, 'GET', `/v2/a/blobs/${digest}`)).body.toString()).toBe('hello world');
    expect(await readdir(join(root, '_uploads'))).toEqual([]);
  });

  it('drops uploads that nobody goes on with', async () => {
    const first = await startRegistry({ storage: await openDiskStorage(root) });
    for (const body of ['old', 'new']) await sendTo(first.host, 'POST', '/v2/a/blobs/uploads/', { body });
    await first.close();
    const [old = ''] = await readdir(join(root, '_uploads'));
    const longAgo = new Date(Date.now() - 25 * 3_600_000);
    await utimes(join(root, '_uploads', old), longAgo, longAgo);
    await using second = await startRegistry({ storage: await openDiskStorage(root) });
    expect(second.url).toContain('http');
    expect(await readdir(join(root, '_uploads'))).not.toContain(old);
    expect(await readdir(join(root, '_uploads'))).toHaveLength(1);
  });

  it('drops uploads of its own time too, when they stand idle', async () => {
    await using server = await startRegistry({ storage: await openDiskStorage(root), idleTimeout: 60 });
    await sendTo(server.host, 'POST', '/v2/a/blobs/uploads/', { body: 'x' });
    const left = async (): Promise<number> => (await readdir(join(root, '_uploads'))).length;
    for (let round = 0; round < 100 && (await left()) > 0; round += 1) await delay(20);
    expect(await left()).toBe(0);
  });

  it('may be served by two servers', async () => {
    const servers = await Promise.all([0, 1].map(async () => startRegistry({ storage: await openDiskStorage(root) })));
    const tags = Array.from({ length: 12 }, (_, at) => `t${String(at).padStart(2, '0')}`);
    await Promise.all(tags.map((tag, at) => push(servers[at % 2]?.host ?? '', 'shared', tag)));
    const [one, two] = servers.map(({ host }) => host);
    const list = async (host = ''): Promise<unknown> =>
      JSON.parse((await sendTo(host, 'GET', '/v2/shared/tags/list')).body.toString());
    expect(await list(one)).toEqual({ name: 'shared', tags });
    expect(await list(two)).toEqual({ name: 'shared', tags });
    await Promise.all(servers.map((server) => server.close()));
    expect((await tagsIn(join(root, 'shared'))).map(([tag]) => tag)).toEqual(tags);
    const common = join(root, '_blobs/sha256', config.digest.slice('sha256:'.length));
    expect((await stat(common)).nlink).toBe(2);
  });

  it('keeps a blob that is pushed while its last owner deletes it', async () => {
    await using server = await startRegistry({ storage: await openDiskStorage(root) });
    const digest = digestOf('contended');
    const upload = (name: string): Promise<Answer> =>
      sendTo(server.host, 'POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: 'contended' });
    await upload('b0');
    for (let round = 0; round < 20; round += 1) {
      const [, pushed] = await Promise.all([
        sendTo(server.host, 'DELETE', `/v2/b${round}/blobs/${digest}`),
        upload(`b${round + 1}`),
      ]);
      expect(pushed.status).toBe(201);
      const got = await sendTo(server.host, 'GET', `/v2/b${round + 1}/blobs/${digest}`);
      expect(got.body.toString()).toBe('contended');
    }
  });
});

describe('a registry in memory', () => {
  const open = (limit: number): RegistryStorage => openMemoryStorage({ limit });

  it('keeps no more than it may, and has room again for what is deleted', async () => {
    const storage = open(1000);
    await using server = await startRegistry({ storage });
    const upload = (name: string, body: string): Promise<Answer> =>
      sendTo(server.host, 'POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(body)}`, { body });
    const [large, small] = ['l'.repeat(900), 's'.repeat(200)];
    expect((await upload('a', large)).status).toBe(201);
    expect(await upload('a', small)).toMatchObject({ status: 403, code: 'DENIED' });
    expect((await sendTo(server.host, 'POST', `/v2/b/blobs/uploads/?mount=${digestOf(large)}&from=a`)).status).toBe(
      201,
    );
    expect(await storage.usage()).toBe(900);
    await sendTo(server.host, 'DELETE', `/v2/a/blobs/${digestOf(large)}`);
    expect(await storage.usage()).toBe(900);
    await sendTo(server.host, 'DELETE', `/v2/b/blobs/${digestOf(large)}`);
    expect(await storage.usage()).toBe(0);
    expect((await upload('a', small)).status).toBe(201);
    expect((await upload('a', small)).status).toBe(201);
    expect(await storage.usage()).toBe(200);
    expect(await storage.repositories()).toEqual(['a']);
  });

  it('gives back the room of uploads that end badly', async () => {
    const storage = open(1000);
    await using server = await startRegistry({ storage });
    await sendTo(server.host, 'POST', `/v2/a/blobs/uploads/?digest=${digestOf('x')}`, { body: 'y'.repeat(800) });
    const start = await sendTo(server.host, 'POST', '/v2/a/blobs/uploads/');
    await sendTo(server.host, 'PATCH', String(start.headers['location']), { body: 'z'.repeat(800) });
    const other = (): Promise<Answer> =>
      sendTo(server.host, 'POST', '/v2/a/blobs/uploads/?digest=' + digestOf('o'.repeat(300)), {
        body: 'o'.repeat(300),
      });
    expect((await other()).status).toBe(403);
    expect(await storage.usage()).toBe(0);
    await sendTo(server.host, 'DELETE', String(start.headers['location']));
    expect((await other()).status).toBe(201);
  });
});

describe('a server', () => {
  it('that is closed lets answers in work leave', async () => {
    const body = 'x'.repeat(8_000_000);
    const digest = digestOf(body);
    const server = await startRegistry({ storage: await openDiskStorage(root), drainTimeout: 10_000 });
    await sendTo(server.host, 'POST', `/v2/a/blobs/uploads/?digest=${digest}`, { body });
    const answer = await fetch(`${server.url}/v2/a/blobs/${digest}`);
    const closing = server.close();
    expect(digestOf(Buffer.from(await answer.arrayBuffer()))).toBe(digest);
    await closing;
  });

  it('sends files over HTTP/2 as they are, several at once', async () => {
    const certificate = testCertificate();
    await using server = await startRegistry({ storage: await openDiskStorage(root), tls: certificate.pem });
    const session = connect(server.url, { ca: certificate.pem.cert });
    const ask = async (method: string, path: string, body?: Buffer): Promise<Buffer> => {
      const stream = session.request({ ':method': method, ':path': path }, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      const chunks: Buffer[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const blobs = Array.from({ length: 4 }, () => randomBytes(3_000_000));
    for (const blob of blobs) await ask('POST', `/v2/a/blobs/uploads/?digest=${digestOf(blob)}`, blob);
    const got = await Promise.all(blobs.map((blob) => ask('GET', `/v2/a/blobs/${digestOf(blob)}`)));
    expect(got.map((bytes) => digestOf(bytes))).toEqual(blobs.map((blob) => digestOf(blob)));
    session.close();
    certificate.close();
  });

  it('whose disk is full says so, and gives back what an upload had taken', async () => {
    const memory = openMemoryStorage();
    let discarded = 0;
    const storage: RegistryStorage = {
      ...memory,
      startUpload: async (place) => {
        const upload = await memory.startUpload(place);
        const fail = (): never => {
          throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        };
        const discard = upload.discard.bind(upload);
        return Object.assign(upload, {
          append: fail,
          discard: () => {
            discarded += 1;
            return discard();
          },
        });
      },
    };
    await using server = await startRegistry({ storage });
    const start = await sendTo(server.host, 'POST', '/v2/a/blobs/uploads/');
    const location = String(start.headers['location']);
    expect(await sendTo(server.host, 'PATCH', location, { body: 'x' })).toMatchObject({ status: 507, code: 'DENIED' });
    expect((await sendTo(server.host, 'GET', location)).status).toBe(404);
    expect(discarded).toBe(1);
  });
});

describe('usage', () => {
  it('counts what repositories share once, and for each of them', async () => {
    const storage = await openDiskStorage(root);
    await using server = await startRegistry({ storage });
    const first = image('v1');
    await push(server.host, 'a', 'v1');
    await push(server.host, 'b', 'v1');
    expect(await storage.repository('a').usage()).toBe(first.length + 2);
    await storage.settle();
    // A blob of two bytes once, a manifest for each.
    expect(await storage.usage()).toBe(2 * first.length + 2);
    expect(dirname(storage.repository('a').path)).toBe(root);
  });
});
