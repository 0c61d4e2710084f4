import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describe as describeContent, type Descriptor, digestOf, mediaTypes } from '../../src/oci/index.ts';
import { openDiskStorage, startRegistry } from '../../src/registry/index.ts';
import { embeddedRegistry, type EmbeddedRegistry } from './embedded.ts';
import { type Answer, send as sendTo, type SendOptions } from './send.ts';

let registry: EmbeddedRegistry;

beforeAll(async () => {
  registry = await embeddedRegistry({ largestBlob: 1_000_000, mostUploads: 8 });
});
afterAll(() => registry.close());

function send(method: string, path: string, { at = registry.host, ...options }: SendOptions & { at?: string } = {}) {
  return sendTo(at, method, path, options);
}

const json = (answer: Answer): unknown => JSON.parse(answer.body.toString());

async function pushBlob(name: string, content: Uint8Array | string): Promise<Descriptor> {
  const descriptor = describeContent(mediaTypes.ociLayer, Buffer.from(content));
  const answer = await send('POST', `/v2/${name}/blobs/uploads/?digest=${descriptor.digest}`, { body: content });
  expect(answer.status).toBe(201);
  return descriptor;
}

interface ImageOptions {
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly note?: string;
}

async function imageBody(name: string, options: ImageOptions = {}): Promise<Buffer> {
  const config = { ...(await pushBlob(name, '{}')), mediaType: mediaTypes.ociEmpty };
  const { subject, artifactType, note = '' } = options;
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType,
      config,
      layers: [],
      subject,
      annotations: { note },
    }),
  );
}

async function pushManifest(name: string, reference: string, body: Uint8Array): Promise<Answer> {
  return send('PUT', `/v2/${name}/manifests/${reference}`, {
    headers: { 'content-type': mediaTypes.ociManifest },
    body,
  });
}

describe('every request', () => {
  const cases: readonly (readonly [string, string, number, string | undefined])[] = [
    ['GET', '/v2/', 200, undefined],
    ['GET', '/v2', 200, undefined],
    ['POST', '/v2/', 405, 'UNSUPPORTED'],
    ['GET', '/', 404, 'UNSUPPORTED'],
    ['GET', '/v1/_ping', 404, 'UNSUPPORTED'],
    ['GET', '/v2/Upper/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/../x/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/a/../../etc/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/%2e%2e/%2e%2e/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/a%2f..%2fb/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/_uploads/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/a/_manifests/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/a%00/tags/list', 400, 'NAME_INVALID'],
    ['GET', '/v2/%ff/tags/list', 400, 'NAME_INVALID'],
    ['GET', `/v2/${'a/'.repeat(200)}a/tags/list`, 400, 'NAME_INVALID'],
    ['GET', '/v2/a/blobs/sha256:..%2f..%2fx', 404, 'UNSUPPORTED'],
    ['GET', '/v2/a/blobs/sha256:abc', 400, 'DIGEST_INVALID'],
    ['GET', `/v2/a/blobs/${digestOf('nothing')}`, 404, 'BLOB_UNKNOWN'],
    ['GET', '/v2/a/manifests/nothing', 404, 'MANIFEST_UNKNOWN'],
    ['GET', '/v2/a/manifests/..', 404, 'MANIFEST_UNKNOWN'],
    ['PUT', '/v2/a/manifests/.hidden', 400, 'TAG_INVALID'],
    ['GET', '/v2/nowhere/tags/list', 404, 'NAME_UNKNOWN'],
    ['PATCH', '/v2/a/blobs/uploads/unknown', 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['PATCH', `/v2/a/manifests/x`, 405, 'UNSUPPORTED'],
    ['constructor', '/v2/a/manifests/x', 400, undefined],
  ];
  it.each(cases)('%s %s is answered %d %s', async (method, path, status, code) => {
    const answer = await send(method, path);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });
});

describe('a blob', () => {
  it('is pushed by POST and PUT', async () => {
    const content = 'posted and put';
    const digest = digestOf(content);
    const started = await send('POST', '/v2/b/one/blobs/uploads/');
    expect([started.status, started.headers.range]).toEqual([202, '0-0']);
    const ended = await send('PUT', `${String(started.headers.location)}?digest=${digest}`, { body: content });
    expect(ended).toMatchObject({
      status: 201,
      headers: { location: `/v2/b/one/blobs/${digest}`, 'docker-content-digest': digest },
    });
    expect((await send('GET', `/v2/b/one/blobs/${digest}`)).body.toString()).toBe(content);
    const head = await send('HEAD', `/v2/b/one/blobs/${digest}`);
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '14', 'docker-content-digest': digest } });
    expect((await send('GET', `/v2/b/two/blobs/${digest}`)).code).toBe('BLOB_UNKNOWN');
  });

  it('is pushed in chunks, in order only', async () => {
    const { headers } = await send('POST', '/v2/b/chunks/blobs/uploads/');
    const path = String(headers.location);
    const patch = (range: string, body: string) => send('PATCH', path, { headers: { 'content-range': range }, body });
    expect(await patch('0-4', 'hello')).toMatchObject({ status: 202, headers: { range: '0-4' } });
    expect(await patch('9-13', 'worse')).toMatchObject({
      status: 416,
      code: 'BLOB_UPLOAD_INVALID',
      headers: { range: '0-4' },
    });
    expect(await patch('0-4', 'again')).toMatchObject({ status: 416, headers: { location: path } });
    expect(await patch('5-6', 'too long')).toMatchObject({ status: 400, code: 'SIZE_INVALID' });
    expect(await send('GET', path)).toMatchObject({ status: 204, headers: { range: '0-4', location: path } });
    expect((await patch('5-10', ' world')).status).toBe(202);
    expect((await send('PUT', `${path}?digest=${digestOf('hello world')}`)).status).toBe(201);
    expect(await send('GET', path)).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' });
  });

  it('with another digest is refused and forgotten', async () => {
    const { headers } = await send('POST', '/v2/b/wrong/blobs/uploads/');
    const put = await send('PUT', `${String(headers.location)}?digest=${digestOf('right')}`, { body: 'wrong' });
    expect(put).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
    expect((await send('HEAD', `/v2/b/wrong/blobs/${digestOf('right')}`)).status).toBe(404);
    expect(await readdir(join(registry.root, '_uploads'))).toEqual([]);
  });

  it('that is too large is refused', async () => {
    const { headers } = await send('POST', '/v2/b/large/blobs/uploads/');
    const patched = await send('PATCH', String(headers.location), { body: Buffer.alloc(1_000_001) });
    expect(patched).toMatchObject({ status: 413, code: 'SIZE_INVALID' });
    await send('DELETE', String(headers.location));
  });

  it('of another repository cannot be finished', async () => {
    const { headers } = await send('POST', '/v2/b/mine/blobs/uploads/');
    const path = String(headers.location).replace('mine', 'theirs');
    expect((await send('PATCH', path, { body: 'x' })).code).toBe('BLOB_UPLOAD_UNKNOWN');
    expect((await send('DELETE', String(headers.location))).status).toBe(204);
    expect((await send('GET', String(headers.location))).status).toBe(404);
  });

  it('is not begun when too many are open', async () => {
    const started = await Promise.all(Array.from({ length: 9 }, () => send('POST', '/v2/b/many/blobs/uploads/')));
    expect(started.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([...Array<number>(8).fill(202), 429]);
    for (const { headers } of started) if (headers.location) await send('DELETE', String(headers.location));
  });

  const ranges: readonly (readonly [string, number, string, string | undefined])[] = [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=0-1,4-5', 200, '0123456789', undefined],
    ['bytes=0-1,99-', 200, '0123456789', undefined],
    ['bytes=2-4,x', 200, '0123456789', undefined],
    ['bytes=5-2', 416, '', 'bytes */10'],
    ['bytes=10-11,12-', 416, '', 'bytes */10'],
    ['lines=1-2', 200, '0123456789', undefined],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=-0', 416, '', 'bytes */10'],
  ];
  it.each(ranges)('asked for %s gives %d %j', async (range, status, body, contentRange) => {
    const { digest } = await pushBlob('b/ranges', '0123456789');
    const answer = await send('GET', `/v2/b/ranges/blobs/${digest}`, { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-range']).toBe(contentRange);
    if (status !== 416) expect(answer.body.toString()).toBe(body);
  });

  it('is mounted from another repository, or an upload begins', async () => {
    const { digest } = await pushBlob('b/source', 'to be mounted');
    const mount = (query: string) => send('POST', `/v2/b/mounted/blobs/uploads/?mount=${query}`);
    expect(await mount(`${digest}&from=b/source`)).toMatchObject({
      status: 201,
      headers: { 'docker-content-digest': digest },
    });
    expect((await send('HEAD', `/v2/b/mounted/blobs/${digest}`)).status).toBe(200);
    for (const query of [`${digestOf('none')}&from=b/source`, `${digest}&from=../b/source`, 'x&from=b/source']) {
      const answer = await mount(query);
      expect(answer.status).toBe(202);
      await send('DELETE', String(answer.headers.location));
    }
  });

  it('is stored once, and gone with its last repository', async () => {
    const { digest } = await pushBlob('b/first', 'shared bytes');
    await pushBlob('b/second', 'shared bytes');
    const common = join(registry.root, '_blobs/sha256', digest.slice('sha256:'.length));
    expect((await send('DELETE', `/v2/b/first/blobs/${digest}`)).status).toBe(202);
    expect((await send('HEAD', `/v2/b/first/blobs/${digest}`)).status).toBe(404);
    expect((await send('HEAD', `/v2/b/second/blobs/${digest}`)).status).toBe(200);
    expect(existsSync(common)).toBe(true);
    expect((await send('DELETE', `/v2/b/second/blobs/${digest}`)).status).toBe(202);
    expect(existsSync(common)).toBe(false);
    expect((await send('DELETE', `/v2/b/second/blobs/${digest}`)).code).toBe('BLOB_UNKNOWN');
  });
});

describe('a manifest', () => {
  it('is pushed by tag and pulled by tag and digest', async () => {
    const body = await imageBody('m/one');
    const digest = digestOf(body);
    const pushed = await pushManifest('m/one', 'v1', body);
    expect(pushed).toMatchObject({
      status: 201,
      headers: { 'docker-content-digest': digest, location: `/v2/m/one/manifests/${digest}` },
    });
    for (const reference of ['v1', digest]) {
      const pulled = await send('GET', `/v2/m/one/manifests/${reference}`);
      expect(pulled.headers).toMatchObject({ 'content-type': mediaTypes.ociManifest, 'docker-content-digest': digest });
      expect(pulled.body.equals(body)).toBe(true);
      expect((await send('HEAD', `/v2/m/one/manifests/${reference}`)).headers['content-length']).toBe(
        String(body.length),
      );
    }
  });

  it('keeps the type of its header where the body names none', async () => {
    const document = JSON.parse((await imageBody('m/untyped')).toString()) as Record<string, unknown>;
    delete document.mediaType;
    const headers = { 'content-type': mediaTypes.dockerManifest };
    await send('PUT', '/v2/m/untyped/manifests/v1', { headers, body: JSON.stringify(document) });
    expect((await send('GET', '/v2/m/untyped/manifests/v1')).headers['content-type']).toBe(mediaTypes.dockerManifest);
  });

  const absent = describeContent(mediaTypes.ociLayer, Buffer.from('absent'));
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: absent, layers: [] };
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex };
  const refused: readonly (readonly [string, string, string, number, string])[] = [
    ['whose blobs are missing', JSON.stringify(manifest), mediaTypes.ociManifest, 404, 'MANIFEST_BLOB_UNKNOWN'],
    [
      'whose manifests are missing',
      JSON.stringify({ ...index, manifests: [{ ...absent, mediaType: mediaTypes.ociManifest }] }),
      mediaTypes.ociIndex,
      404,
      'MANIFEST_BLOB_UNKNOWN',
    ],
    ['that is no JSON', '{', mediaTypes.ociManifest, 400, 'MANIFEST_INVALID'],
    ['of another type than its header', JSON.stringify(manifest), mediaTypes.ociIndex, 400, 'MANIFEST_INVALID'],
    [
      'that is two things',
      JSON.stringify({ ...manifest, manifests: [] }),
      mediaTypes.ociManifest,
      400,
      'MANIFEST_INVALID',
    ],
    ['of 9 MiB', ' '.repeat(9 * 1024 * 1024), mediaTypes.ociManifest, 413, 'SIZE_INVALID'],
  ];
  it.each(refused)('%s is refused', async (_, body, type, status, code) => {
    const answer = await send('PUT', '/v2/m/refused/manifests/v1', { headers: { 'content-type': type }, body });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await send('GET', '/v2/m/refused/manifests/v1')).status).toBe(404);
  });

  it('under another digest is refused', async () => {
    const answer = await pushManifest('m/digest', digestOf('other'), await imageBody('m/digest'));
    expect([answer.status, answer.code]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('loses a tag, and only that, when the tag is deleted', async () => {
    const body = await imageBody('m/untag');
    await pushManifest('m/untag', 'a', body);
    await pushManifest('m/untag', 'b', body);
    expect((await send('DELETE', '/v2/m/untag/manifests/a')).status).toBe(202);
    expect((await send('GET', '/v2/m/untag/manifests/a')).code).toBe('MANIFEST_UNKNOWN');
    expect((await send('GET', '/v2/m/untag/manifests/b')).status).toBe(200);
    expect((await send('GET', `/v2/m/untag/manifests/${digestOf(body)}`)).status).toBe(200);
  });

  it('is gone with all its tags when its digest is deleted', async () => {
    const body = await imageBody('m/delete');
    await pushManifest('m/delete', 'a', body);
    await pushManifest('m/delete', 'b', body);
    await pushManifest('m/delete', 'other', await imageBody('m/delete', { note: 'other' }));
    expect((await send('DELETE', `/v2/m/delete/manifests/${digestOf(body)}`)).status).toBe(202);
    expect(json(await send('GET', '/v2/m/delete/tags/list'))).toEqual({ name: 'm/delete', tags: ['other'] });
    expect((await send('GET', `/v2/m/delete/manifests/${digestOf(body)}`)).status).toBe(404);
  });
});

describe('a list', () => {
  it('of tags comes in pages', async () => {
    const body = await imageBody('l/tags');
    for (const tag of ['c', 'a', 'b']) await pushManifest('l/tags', tag, body);
    const list = (query: string) => send('GET', `/v2/l/tags/tags/list${query}`);
    expect(json(await list(''))).toEqual({ name: 'l/tags', tags: ['a', 'b', 'c'] });
    const page = await list('?n=2');
    expect(json(page)).toMatchObject({ tags: ['a', 'b'] });
    expect(page.headers.link).toBe('</v2/l/tags/tags/list?n=2&last=b>; rel="next"');
    const last = await list('?n=2&last=b');
    expect(json(last)).toMatchObject({ tags: ['c'] });
    expect(last.headers.link).toBeUndefined();
    expect(json(await list('?n=0'))).toMatchObject({ tags: [] });
    expect((await list('?n=x')).status).toBe(400);
  });

  it('of repositories comes in pages, nested ones too', async () => {
    await using other = await embeddedRegistry();
    for (const name of ['z', 'a/b/c', 'a']) {
      await send('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf('x')}`, { body: 'x', at: other.host });
    }
    expect(json(await send('GET', '/v2/_catalog', { at: other.host }))).toEqual({ repositories: ['a', 'a/b/c', 'z'] });
    const page = await send('GET', '/v2/_catalog?n=1&last=a', { at: other.host });
    expect(json(page)).toEqual({ repositories: ['a/b/c'] });
    expect(page.headers.link).toBe('</v2/_catalog?n=1&last=a%2Fb%2Fc>; rel="next"');
  });
});

describe('referrers', () => {
  it('are indexed by subject, filtered by type, and leave with their manifest', async () => {
    const image = await imageBody('r/one');
    const subject = describeContent(mediaTypes.ociManifest, image);
    const refer = (artifactType: string) => imageBody('r/one', { subject, artifactType, note: artifactType });
    const [signature, sbom] = [await refer('application/vnd.sig'), await refer('application/vnd.sbom')];
    const list = (query = '') => send('GET', `/v2/r/one/referrers/${subject.digest}${query}`);
    const digests = (answer: Answer): string[] =>
      (json(answer) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest).sort();

    expect(digests(await list())).toEqual([]);
    for (const body of [signature, sbom]) {
      const pushed = await pushManifest('r/one', digestOf(body), body);
      expect(pushed).toMatchObject({ status: 201, headers: { 'oci-subject': subject.digest } });
    }
    const all = await list();
    expect(all.headers['content-type']).toBe(mediaTypes.ociIndex);
    expect(all.headers).not.toHaveProperty('oci-filters-applied');
    expect(digests(all)).toEqual([digestOf(signature), digestOf(sbom)].sort());

    const filtered = await list('?artifactType=application/vnd.sig');
    expect(filtered.headers['oci-filters-applied']).toBe('artifactType');
    expect(json(filtered)).toMatchObject({
      manifests: [
        {
          digest: digestOf(signature),
          artifactType: 'application/vnd.sig',
          annotations: { note: 'application/vnd.sig' },
        },
      ],
    });

    await send('DELETE', `/v2/r/one/manifests/${digestOf(signature)}`);
    expect(digests(await list())).toEqual([digestOf(sbom)]);
  });
});

describe('the server', () => {
  it('finds everything again after a new start', async () => {
    await using first = await embeddedRegistry();
    const { digest } = describeContent(mediaTypes.ociLayer, Buffer.from('kept'));
    await send('POST', `/v2/k/blobs/uploads/?digest=${digest}`, { body: 'kept', at: first.host });
    await using second = await startRegistry({ storage: await openDiskStorage(first.root) });
    expect((await send('GET', `/v2/k/blobs/${digest}`, { at: second.host })).body.toString()).toBe('kept');
  });

  it('says when a port is taken', async () => {
    const port = Number(registry.host.split(':')[1]);
    const storage = await openDiskStorage(registry.root);
    await expect(startRegistry({ storage, port })).rejects.toMatchObject({ code: 'NETWORK' });
  });

  it('drops uploads when it closes', async () => {
    const other = await embeddedRegistry();
    await send('POST', '/v2/a/blobs/uploads/', { at: other.host });
    await other.close();
    await expect(send('GET', '/v2/', { at: other.host })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
