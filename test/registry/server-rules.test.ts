import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, mediaTypes } from '../../src/oci/index.ts';
import {
  openDiskStorage,
  ProtocolError,
  type RegistryRules,
  type RegistryServerOptions,
  type RegistryStorage,
  startRegistry,
} from '../../src/registry/index.ts';
import { scratch } from './embedded.ts';
import { type Answer, send, type SendOptions } from './send.ts';

const empty = digestOf('{}');
const config = { mediaType: mediaTypes.ociEmpty, digest: empty, size: 2 };
const image = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] });
const digest = digestOf(image);
const manifest: SendOptions = { headers: { 'content-type': mediaTypes.ociManifest }, body: image };

let root: string;
let storage: RegistryStorage;

beforeAll(async () => {
  root = await mkdtemp(join(scratch, 'server-rules-'));
  storage = await openDiskStorage(root);
  await using free = await startRegistry({ storage });
  await send(free.host, 'POST', `/v2/r/blobs/uploads/?digest=${empty}`, { body: '{}' });
  await send(free.host, 'PUT', '/v2/r/manifests/v1', manifest);
});
afterAll(() => rm(root, { recursive: true }));

type Step = readonly [method: string, path: string, status: number, options?: SendOptions];

const nothing = digestOf('not here');
const artifact = (layer: string): SendOptions => ({
  headers: { 'content-type': mediaTypes.ociManifest },
  body: JSON.stringify({ ...(JSON.parse(image) as object), layers: [{ ...config, digest: digestOf(layer) }] }),
});

describe('a registry', () => {
  const cases: readonly (readonly [string, RegistryRules, readonly Step[]])[] = [
    [
      'that is read-only answers reads alone',
      { readOnly: true },
      [
        ['GET', '/v2/', 200],
        ['GET', '/v2/r/manifests/v1', 200],
        ['HEAD', `/v2/r/blobs/${empty}`, 200],
        ['GET', '/v2/r/tags/list', 200],
        ['PUT', '/v2/r/manifests/v2', 405, manifest],
        ['POST', '/v2/r/blobs/uploads/', 405],
        ['POST', `/v2/n/blobs/uploads/?mount=${empty}&from=r`, 405],
        ['DELETE', '/v2/r/manifests/v1', 405],
        ['DELETE', `/v2/r/blobs/${empty}`, 405],
        ['GET', '/v2/r/tags/list', 200],
      ],
    ],
    [
      'without deletion deletes nothing, but uploads are cancelled',
      { deletion: { tags: false, manifests: false, blobs: false } },
      [
        ['DELETE', '/v2/r/manifests/v1', 405],
        ['DELETE', `/v2/r/manifests/${digest}`, 405],
        ['DELETE', `/v2/r/blobs/${empty}`, 405],
        ['DELETE', '/v2/r/blobs/uploads/none', 404],
        ['GET', '/v2/r/manifests/v1', 200],
      ],
    ],
    [
      'that deletes tags alone',
      { deletion: { tags: true, manifests: false, blobs: false } },
      [
        ['PUT', '/v2/r/manifests/passing', 201, manifest],
        ['DELETE', '/v2/r/manifests/passing', 202],
        ['DELETE', `/v2/r/manifests/${digest}`, 405],
        ['DELETE', `/v2/r/blobs/${empty}`, 405],
      ],
    ],
    ['takes no gaps', {}, [['PUT', '/v2/r/manifests/gap', 404, artifact('not here')]]],
    [
      'that takes gaps',
      { sparse: true },
      [
        ['PUT', '/v2/r/manifests/gap', 201, artifact('not here either')],
        ['GET', '/v2/r/manifests/gap', 200],
        ['DELETE', '/v2/r/manifests/gap', 202],
      ],
    ],
    [
      'with small manifests',
      { largestManifest: 1000 },
      [
        ['PUT', '/v2/r/manifests/big', 413, { ...manifest, body: image + ' '.repeat(1000) }],
        ['PUT', '/v2/r/manifests/fits', 201, manifest],
        ['DELETE', '/v2/r/manifests/fits', 202],
      ],
    ],
    [
      'hears of what a client has already',
      {},
      [
        ['GET', '/v2/r/manifests/v1', 304, { headers: { 'if-none-match': `"${digest}"` } }],
        ['GET', `/v2/r/manifests/${digest}`, 304, { headers: { 'if-none-match': `W/"x", W/"${digest}"` } }],
        ['HEAD', '/v2/r/manifests/v1', 304, { headers: { 'if-none-match': '*' } }],
        ['GET', '/v2/r/manifests/v1', 200, { headers: { 'if-none-match': `"${nothing}"` } }],
        ['GET', `/v2/r/blobs/${empty}`, 304, { headers: { 'if-none-match': `"${empty}"` } }],
        ['GET', `/v2/r/blobs/${empty}`, 206, { headers: { range: 'bytes=1-', 'if-range': `"${empty}"` } }],
        ['GET', `/v2/r/blobs/${empty}`, 200, { headers: { range: 'bytes=1-', 'if-range': `"${nothing}"` } }],
      ],
    ],
    [
      'moves a tag only from where the client has seen it',
      {},
      [
        [
          'PUT',
          '/v2/r/manifests/v1',
          412,
          { ...manifest, headers: { ...manifest.headers, 'if-match': `"${nothing}"` } },
        ],
        [
          'PUT',
          '/v2/r/manifests/v1',
          201,
          { ...manifest, headers: { ...manifest.headers, 'if-match': `"${digest}"` } },
        ],
        ['PUT', '/v2/r/manifests/v1', 412, { ...manifest, headers: { ...manifest.headers, 'if-none-match': '*' } }],
        ['PUT', '/v2/r/manifests/new', 412, { ...manifest, headers: { ...manifest.headers, 'if-match': '*' } }],
        ['PUT', '/v2/r/manifests/new', 201, { ...manifest, headers: { ...manifest.headers, 'if-none-match': '*' } }],
        ['DELETE', '/v2/r/manifests/new', 202],
      ],
    ],
    [
      'takes no digest of another kind',
      {},
      [
        ['POST', '/v2/r/blobs/uploads/?digest-algorithm=md5', 400],
        ['POST', '/v2/r/blobs/uploads/?digest=sha256:short', 400, { body: 'x' }],
        ['POST', '/v2/r/blobs/uploads/?digest=md5:d41d8cd98f00b204e9800998ecf8427e', 400],
        ['GET', '/v2/r/blobs/sha256:short', 400],
        ['GET', '/v2/r/referrers/latest', 400],
        ['PUT', '/v2/r/manifests/sha256:short', 400, manifest],
        ['PUT', '/v2/r/manifests/-dash', 400, manifest],
        ['PUT', `/v2/r/manifests/${digest}?tag=good&tag=not%20good`, 400, manifest],
        ['GET', '/v2/r/manifests/good', 404],
        ['GET', '/v2/%zz/tags/list', 400],
      ],
    ],
  ];
  it.each(cases)('%s', async (_, rules, steps) => {
    await using server = await startRegistry({ storage, ...rules });
    for (const [method, path, status, options] of steps) {
      expect([method, path, (await send(server.host, method, path, options)).status]).toEqual([method, path, status]);
    }
  });

  it('gives tags to a manifest that is pushed by its digest', async () => {
    await using server = await startRegistry({ storage });
    const path = `/v2/t/manifests/${digest}?tag=1.2&tag=1&tag=latest&tag=1`;
    await send(server.host, 'POST', `/v2/t/blobs/uploads/?mount=${empty}`);
    const put = await send(server.host, 'PUT', path, manifest);
    expect(put).toMatchObject({ status: 201, headers: { 'oci-tag': '1.2, 1, latest' } });
    const { body } = await send(server.host, 'GET', '/v2/t/tags/list');
    expect(JSON.parse(body.toString())).toEqual({ name: 't', tags: ['1', '1.2', 'latest'] });
    const many = Array.from({ length: 101 }, (__, at) => `tag=t${at}`).join('&');
    expect((await send(server.host, 'PUT', `/v2/t/manifests/${digest}?${many}`, manifest)).status).toBe(414);
  });

  it('tells how small chunks may be, and takes only a last one that is smaller', async () => {
    await using server = await startRegistry({ storage, chunkMinLength: 4 });
    const start = await send(server.host, 'POST', '/v2/c/blobs/uploads/');
    expect(start.headers['oci-chunk-min-length']).toBe('4');
    const patch = (range: string, body: string): Promise<Answer> =>
      send(server.host, 'PATCH', String(start.headers['location']), { headers: { 'content-range': range }, body });
    expect((await patch('0-3', 'four')).status).toBe(202);
    expect((await patch('4-4', '1')).status).toBe(202);
    expect(await patch('5-8', 'more')).toMatchObject({ status: 400, code: 'SIZE_INVALID' });
    const put = `${String(start.headers['location'])}?digest=${digestOf('four1')}`;
    expect((await send(server.host, 'PUT', put)).status).toBe(201);
  });

  it('asks its layers first, in order', async () => {
    const seen: string[] = [];
    const options: RegistryServerOptions = {
      storage,
      layers: [
        async (visit, next) => {
          seen.push(`${visit.endpoint?.action} ${visit.endpoint?.name}`);
          visit.may = (action, name) => action === 'pull' && name !== 'r';
          await next();
        },
        async (visit, next) => {
          if (visit.path.includes('secret')) throw new ProtocolError('DENIED', 'not for you');
          await next();
        },
      ],
    };
    await using server = await startRegistry(options);
    expect(await send(server.host, 'GET', '/v2/secret/tags/list')).toMatchObject({ status: 403, code: 'DENIED' });
    const mount = await send(server.host, 'POST', `/v2/m/blobs/uploads/?mount=${empty}&from=r`);
    expect(mount.status).toBe(202);
    expect(seen).toEqual(['pull secret', 'push m']);
  });
});
