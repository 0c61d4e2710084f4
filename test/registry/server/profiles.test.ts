import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { copyGraph, digestOf, fetchBytes, mediaTypes } from '../../../src/oci/index.ts';
import {
  type Credential,
  openMemoryStorage,
  openProfile,
  openRepository,
  type ProfileName,
  type ProfileOptions,
  type RegistryServer,
  type ServedRequest,
  startRegistry,
} from '../../../src/registry/index.ts';
import { pushArtifact, pushImage } from '../../contracts/target-contract.ts';
import { quickSession } from '../embedded.ts';
import { send } from '../send.ts';

const session = quickSession();
afterAll(() => session.close());

interface Served extends AsyncDisposable {
  readonly server: RegistryServer;
  readonly seen: ServedRequest[];
  open(repository: string, user?: string): ReturnType<typeof openRepository>;
}

async function serve(name: ProfileName, options: Omit<ProfileOptions, 'storage'> = {}): Promise<Served> {
  const storage = openMemoryStorage();
  const { rules, layers } = openProfile(name, { storage, ...options });
  const seen: ServedRequest[] = [];
  const server = await startRegistry({ storage, ...rules, layers, onRequest: (event) => void seen.push(event) });
  return {
    server,
    seen,
    open: (repository, user) =>
      openRepository(`${server.host}/${repository}`, { session, credential: credential(user) }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function credential(user: string | undefined): Credential | 'anonymous' {
  return user === undefined ? 'anonymous' : { kind: 'basic', username: user, password: 'secret' };
}

const basic = (user: string): string => `Basic ${Buffer.from(`${user}:secret`).toString('base64')}`;
const aws = { headers: { authorization: basic('AWS') } };

/** An image with a layer that is larger than any chunk, pushed whole and read back. */
async function roundTrip(target: ReturnType<typeof openRepository>, name: string) {
  const content = randomBytes(12 * 1024 * 1024);
  const layer = { mediaType: mediaTypes.ociLayer, digest: digestOf(content), size: content.length };
  const config = Buffer.from(
    `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["${layer.digest}"]}}`,
  );
  const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
  await target.push(layer, content);
  await target.push(configDescriptor, config);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: configDescriptor,
    layers: [layer],
    annotations: { name },
  };
  const manifest = Buffer.from(JSON.stringify(document));
  const root = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length };
  await target.pushTagged(root, manifest, { reference: 'v1' });
  expect((await target.resolve('v1')).digest).toBe(root.digest);
  const back = await (await target.fetch(layer)).toArray();
  expect(digestOf(Buffer.concat(back as Buffer[]))).toBe(layer.digest);
  return root;
}

describe('the profile of Amazon ECR', () => {
  it('wants a password of AWS, and a repository that was made', async () => {
    await using served = await serve('ecr', { ecr: { repositories: ['there', 'team/*'] } });
    const { host } = served.server;
    expect((await send(host, 'GET', '/v2/')).headers['www-authenticate']).toMatch(/^Basic realm="https:.*ecr/);
    expect((await send(host, 'GET', '/v2/', { headers: { authorization: basic('ann') } })).status).toBe(401);
    expect((await send(host, 'GET', '/v2/', aws)).status).toBe(200);
    const missing = await send(host, 'POST', '/v2/new/blobs/uploads/', aws);
    expect([missing.status, missing.code, missing.body.toString()]).toEqual([
      404,
      'NAME_UNKNOWN',
      expect.stringContaining("The repository with name 'new' does not exist in the registry with id '"),
    ]);
    expect((await send(host, 'POST', '/v2/team/x/blobs/uploads/', aws)).status).toBe(202);
    const head = await send(host, 'HEAD', `/v2/new/blobs/${digestOf(Buffer.from('x'))}`, aws);
    expect([head.status, head.body.length]).toEqual([403, 0]);
    await expect(pushImage(served.open('new', 'AWS'), 'x')).rejects.toThrow(
      /The repository with name 'new' does not exist/,
    );
  });

  it('makes a repository on a push, if so set', async () => {
    await using served = await serve('ecr', { ecr: { createOnPush: true } });
    await roundTrip(served.open('new', 'AWS'), 'made');
  });

  it('has pages of 100 tags as plain text, and refuses more than 1000', async () => {
    await using served = await serve('ecr', { ecr: { repositories: ['tags'] } });
    const target = served.open('tags', 'AWS');
    const image = await pushImage(target, 'many');
    for (let at = 0; at < 120; at++) await target.tag(image.descriptor, `v${String(at).padStart(3, '0')}`);
    const page = await send(served.server.host, 'GET', '/v2/tags/tags/list', aws);
    expect((JSON.parse(page.body.toString()) as { tags: string[] }).tags).toHaveLength(100);
    expect([page.headers['content-type'], page.headers['link']]).toEqual([
      'text/plain; charset=utf-8',
      expect.stringContaining('rel="next"'),
    ]);
    const much = await send(served.server.host, 'GET', '/v2/tags/tags/list?n=10000', aws);
    expect([much.code, much.body.toString()]).toEqual([
      'UNSUPPORTED',
      expect.stringContaining('less than or equal to 1000'),
    ]);
    expect(await target.listTags()).toHaveLength(120);
  });

  it('refuses a tag that is there, also for the same manifest, which is no failure for us', async () => {
    await using served = await serve('ecr', { ecr: { repositories: ['fixed'], immutableTags: true } });
    const target = served.open('fixed', 'AWS');
    const root = await roundTrip(target, 'one');
    const content = Buffer.from(await fetchBytes(target, root));
    const again = await send(served.server.host, 'PUT', '/v2/fixed/manifests/v1', {
      headers: { ...aws.headers, 'content-type': root.mediaType },
      body: content,
    });
    expect([again.status, again.code, again.body.toString()]).toEqual([
      400,
      'TAG_INVALID',
      expect.stringContaining('cannot be overwritten because the repository is immutable'),
    ]);
    await copyGraph(target, served.open('fixed', 'AWS'), root, { names: ['v1'] });
    const other = await pushImage(target, 'two');
    await expect(target.tag(other.descriptor, 'v1')).rejects.toThrow(/immutable/);
  });

  it('wants a media type in OCI manifests, deletes nothing, and mounts only where that is switched on', async () => {
    await using served = await serve('ecr', { ecr: { repositories: ['*'] } });
    await using mounting = await serve('ecr', { ecr: { repositories: ['*'], blobMounting: true } });
    const { host } = served.server;
    const target = served.open('a', 'AWS');
    const root = await roundTrip(target, 'a');
    const { mediaType: _, ...bare } = JSON.parse((await fetchBytes(target, root)).toString()) as Record<
      string,
      unknown
    >;
    const refused = await send(host, 'PUT', '/v2/a/manifests/bare', {
      headers: { ...aws.headers, 'content-type': mediaTypes.ociManifest },
      body: JSON.stringify(bare),
    });
    expect([refused.code, refused.body.toString()]).toEqual([
      'UNSUPPORTED',
      expect.stringContaining('Invalid JSON syntax'),
    ]);
    expect((await send(host, 'DELETE', `/v2/a/manifests/${root.digest}`, aws)).status).toBe(405);
    await expect(target.deleteManifest(root.digest)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    for (const [each, status] of [
      [served, 202],
      [mounting, 201],
    ] as const) {
      const image = await pushImage(each.open('from', 'AWS'), 'mounted');
      const path = `/v2/to/blobs/uploads/?mount=${image.layer.digest}&from=from`;
      expect((await send(each.server.host, 'POST', path, aws)).status).toBe(status);
    }
  });

  it('takes parts of 5 to 10 MiB, answers 201, and says where a part must begin', async () => {
    await using served = await serve('ecr', { ecr: { repositories: ['parts'] } });
    const { host } = served.server;
    const location = String((await send(host, 'POST', '/v2/parts/blobs/uploads/', aws)).headers['location']);
    const part = (start: number, size: number) =>
      send(host, 'PATCH', location, {
        headers: { ...aws.headers, 'content-range': `${start}-${start + size - 1}` },
        body: Buffer.alloc(size),
      });
    const MiB = 1024 * 1024;
    expect((await part(0, 11 * MiB)).body.toString()).toContain('is larger than');
    expect((await part(0, 6 * MiB)).status).toBe(201);
    const wrong = await part(0, 6 * MiB);
    expect([wrong.status, wrong.body.toString()]).toEqual([
      416,
      expect.stringContaining(`First byte of the layer part is 0 instead of ${6 * MiB}`),
    ]);
    expect((await part(6 * MiB, 1 * MiB)).status).toBe(201);
    expect((await part(7 * MiB, 1 * MiB)).body.toString()).toContain('not the last one');
  });
});

describe('the profile of Docker Hub', () => {
  it('gives tokens for what is there, and says 401 of what is not', async () => {
    await using served = await serve('hub');
    const { host } = served.server;
    await roundTrip(served.open('library/base', 'library'), 'hub');
    expect((await send(host, 'GET', '/v2/')).headers['www-authenticate']).toBe(
      `Bearer realm="http://${host}/token",service="registry.docker.io"`,
    );
    expect((await served.open('library/base').resolve('v1')).size).toBeGreaterThan(0);
    await expect(served.open('library/nothing').resolve('v1')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(served.open('base').resolve('v1')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(pushImage(served.open('library/base', 'ann'), 'x')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(served.open('library/base').resolve('v2')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('counts GETs of manifests and nothing else, for addresses and for users; the count begins again', async () => {
    let now = Date.now();
    await using served = await serve('hub', { hub: { pullLimit: 2, now: () => now } });
    const { host } = served.server;
    await roundTrip(served.open('ann/x', 'ann'), 'limits');
    const tokenFor = async (user?: string) => {
      const headers = user === undefined ? {} : { authorization: basic(user) };
      const answer = await send(host, 'GET', '/token?scope=repository:ann/x:pull', { headers });
      return { authorization: `Bearer ${(JSON.parse(answer.body.toString()) as { token: string }).token}` };
    };
    const ask = async (method: string, user?: string) => {
      const { status, headers, code } = await send(host, method, '/v2/ann/x/manifests/v1', {
        headers: await tokenFor(user),
      });
      return [status, headers['ratelimit-remaining'], code];
    };
    now += 7 * 3600_000;
    expect(await ask('HEAD')).toEqual([200, '2;w=21600', undefined]);
    expect(await ask('GET')).toEqual([200, '1;w=21600', undefined]);
    expect(await ask('GET')).toEqual([200, '0;w=21600', undefined]);
    expect(await ask('GET')).toEqual([429, '0;w=21600', 'TOOMANYREQUESTS']);
    expect(await ask('HEAD')).toEqual([200, '0;w=21600', undefined]);
    expect(await ask('HEAD', 'ben')).toEqual([200, '4;w=21600', undefined]);
    now += 7 * 3600_000;
    expect(await ask('GET')).toEqual([200, '1;w=21600', undefined]);
  });

  it('refuses too many requests of one address with a line of text', async () => {
    await using served = await serve('hub', { hub: { requestLimit: 3 } });
    const { host } = served.server;
    const { authorization } = await (async () => {
      const answer = await send(host, 'GET', '/token');
      return { authorization: `Bearer ${(JSON.parse(answer.body.toString()) as { token: string }).token}` };
    })();
    const statuses: number[] = [];
    let last = '';
    for (let at = 0; at < 5; at++) {
      const answer = await send(host, 'GET', '/v2/', { headers: { authorization } });
      statuses.push(answer.status);
      last = answer.body.toString();
    }
    expect([statuses, last]).toEqual([[200, 200, 200, 429, 429], 'Too Many Requests\n']);
  });

  it('has no referrers, so that they are under a tag', async () => {
    await using served = await serve('hub');
    const target = served.open('ann/signed', 'ann');
    const image = await pushImage(target, 'signed');
    const signature = await pushArtifact(target, image.descriptor, 'application/x-signature');
    expect((await target.referrers(image.descriptor.digest)).map(({ digest }) => digest)).toEqual([signature.digest]);
    expect(await target.listTags()).toContain(image.descriptor.digest.replace(':', '-'));
  });
});

describe('the profile of GHCR', () => {
  it('has no referrers, deletes nothing, and its challenge names a scope that means nothing', async () => {
    await using served = await serve('ghcr');
    const { host } = served.server;
    const target = served.open('ann/app', 'ann');
    await roundTrip(target, 'ghcr');
    const image = await pushImage(target, 'signed');
    const signature = await pushArtifact(target, image.descriptor, 'application/x-signature');
    expect((await target.referrers(image.descriptor.digest)).map(({ digest }) => digest)).toEqual([signature.digest]);
    expect((await send(host, 'GET', '/v2/')).headers['www-authenticate']).toMatch(
      /scope="repository:user\/image:pull"$/,
    );
    await expect(target.deleteManifest(image.descriptor.digest)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect((await served.open('ann/app').resolve('v1')).size).toBeGreaterThan(0);
  });
});

describe('the strict profile', () => {
  it('takes what keeps to the letter of the specification, and us', async () => {
    await using served = await serve('strict');
    const target = served.open('a/b');
    const root = await roundTrip(target, 'strict');
    for (let at = 0; at < 25; at++) await target.tag(root, `t${at}`);
    expect(await target.listTags()).toHaveLength(26);
    const image = await pushImage(target, 'signed');
    await pushArtifact(target, image.descriptor, 'application/x-signature');
    expect(await target.referrers(image.descriptor.digest)).toHaveLength(1);
  });

  it.each([
    ['a PATCH without a range', 'PATCH', { 'content-type': 'application/octet-stream' }, false, 416],
    ['a PATCH without a type', 'PATCH', { 'content-range': '0-3' }, false, 415],
    ['a PATCH of another type', 'PATCH', { 'content-range': '0-3', 'content-type': 'text/plain' }, false, 415],
    [
      'a stream without a length',
      'PATCH',
      { 'content-range': '0-3', 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' },
      true,
      411,
    ],
    [
      'a PATCH that is right',
      'PATCH',
      { 'content-range': '0-3', 'content-type': 'application/octet-stream' },
      false,
      202,
    ],
  ] as const)('answers %s by its status', async (_title, method, headers, streamed, status) => {
    await using served = await serve('strict');
    const { host } = served.server;
    const location = String((await send(host, 'POST', '/v2/a/b/blobs/uploads/')).headers['location']);
    expect((await send(host, method, location, { headers, streamed, body: 'four' })).status).toBe(status);
  });

  it('takes the location of an upload once, and gives the next one to who asks for the state', async () => {
    await using served = await serve('strict');
    const { host } = served.server;
    const headers = { 'content-range': '0-3', 'content-type': 'application/octet-stream' };
    const location = String((await send(host, 'POST', '/v2/a/b/blobs/uploads/')).headers['location']);
    expect((await send(host, 'PATCH', location, { headers, body: 'four' })).status).toBe(202);
    expect((await send(host, 'PATCH', location, { headers, body: 'four' })).status).toBe(404);
    const state = await send(host, 'GET', location);
    expect([state.status, state.headers['range']]).toEqual([204, '0-3']);
    const put = `${String(state.headers['location'])}&digest=${digestOf(Buffer.from('four'))}`;
    expect((await send(host, 'PUT', put)).status).toBe(201);
  });

  it('has a manifest only for who accepts its type, and blobs only whole', async () => {
    await using served = await serve('strict');
    const image = await pushImage(served.open('a/b'), 'types');
    const path = `/v2/a/b/manifests/${image.descriptor.digest}`;
    const { host } = served.server;
    expect((await send(host, 'GET', path)).status).toBe(404);
    expect(
      (await send(host, 'GET', path, { headers: { accept: `text/plain, ${image.descriptor.mediaType}` } })).status,
    ).toBe(200);
    const blob = await send(host, 'GET', `/v2/a/b/blobs/${image.layer.digest}`, { headers: { range: 'bytes=1-1' } });
    expect([blob.status, blob.body.length]).toEqual([200, image.layer.size]);
  });
});
