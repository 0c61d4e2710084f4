import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, mediaTypes } from '../../src/oci/index.ts';
import {
  accessLogLine,
  openDiskStorage,
  openMemoryStorage,
  type RegistryStorage,
  type ServedRequest,
  startRegistry,
} from '../../src/registry/index.ts';
import { scratch } from './embedded.ts';
import { type Answer, send } from './send.ts';

const upload = (host: string, name: string, body: string): Promise<Answer> =>
  send(host, 'POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(body)}`, { body });

describe('the access log', () => {
  const served: ServedRequest = {
    method: 'PATCH',
    path: '/v2/a/blobs/uploads/0123456789abcdef',
    url: '/v2/a/blobs/uploads/0123456789abcdef',
    httpVersion: '1.1',
    route: 'upload',
    repository: 'a',
    status: 202,
    aborted: false,
    start: new Date(Date.UTC(2026, 10, 28, 11, 5, 8)),
    milliseconds: 1.23456,
    bytesIn: 10,
    bytesOut: 0,
    remoteAddress: '127.0.0.1',
    user: undefined,
    userAgent: 'curl/8',
  };
  const cases: readonly (readonly [string, Partial<ServedRequest>, string])[] = [
    [
      'hides most of an upload’s id',
      {},
      '127.0.0.1 - - [28/Nov/2026:11:05:08 +0000] "PATCH /v2/a/blobs/uploads/01234567… HTTP/1.1" 202 0 "-" "curl/8"',
    ],
    [
      'shows what was asked for and hides other parameters',
      { url: '/v2/a/tags/list?n=2&token=s3cret&last=b', user: 'ann' },
      '127.0.0.1 - ann [28/Nov/2026:11:05:08 +0000] "PATCH /v2/a/tags/list?n=2&token=…&last=b HTTP/1.1" 202 0 "-" "curl/8"',
    ],
    [
      'stays one line whatever it is told',
      { url: '/', user: 'a"\n', userAgent: '"\u001b[2J' },
      '127.0.0.1 - a\\x22\\x0a [28/Nov/2026:11:05:08 +0000] "PATCH / HTTP/1.1" 202 0 "-" "\\x22\\x1b[2J"',
    ],
  ];
  it.each(cases)('%s', (_, some, line) => {
    expect(accessLogLine({ ...served, ...some }, 'common')).toBe(line);
  });

  it('is JSON too', () => {
    expect(JSON.parse(accessLogLine({ ...served, aborted: true }, 'json'))).toEqual({
      time: '2026-11-28T11:05:08.000Z',
      remote: '127.0.0.1',
      method: 'PATCH',
      url: '/v2/a/blobs/uploads/01234567…',
      route: 'upload',
      repository: 'a',
      status: 202,
      aborted: true,
      milliseconds: 1.235,
      bytesIn: 10,
      bytesOut: 0,
      userAgent: 'curl/8',
    });
  });

  it('hears of each request once', async () => {
    const heard: ServedRequest[] = [];
    await using server = await startRegistry({
      storage: openMemoryStorage(),
      onRequest: (request) => heard.push(request),
    });
    await upload(server.host, 'a', 'hello');
    await send(server.host, 'GET', `/v2/a/blobs/${digestOf('hello')}`);
    await send(server.host, 'HEAD', `/v2/a/blobs/${digestOf('hello')}`);
    await send(server.host, 'GET', '/nowhere');
    expect(
      heard.map(({ method, route, status, bytesIn, bytesOut }) => [method, route, status, bytesIn, bytesOut]),
    ).toEqual([
      ['POST', 'uploads', 201, 5, 0],
      ['GET', 'blob', 200, 0, 5],
      ['HEAD', 'blob', 200, 0, 0],
      ['GET', undefined, 404, 0, expect.any(Number)],
    ]);
  });
});

describe('metrics', () => {
  it('tell of requests, bytes, uploads and content', async () => {
    await using server = await startRegistry({ storage: openMemoryStorage(), metrics: true });
    await upload(server.host, 'a', 'hello');
    await send(server.host, 'POST', '/v2/a/blobs/uploads/');
    await send(server.host, 'BREW', `/v2/a/blobs/${digestOf('hello')}`).catch(() => {});
    await send(server.host, 'GET', '/v2/%22%7D%0a');
    const answer = await send(server.host, 'GET', '/metrics');
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = answer.body.toString().split('\n');
    for (const line of [
      'slipway_registry_requests_total{method="POST",route="uploads",status="201"} 1',
      'slipway_registry_requests_total{method="POST",route="uploads",status="202"} 1',
      'slipway_registry_requests_total{method="GET",route="other",status="404"} 1',
      'slipway_registry_received_bytes_total{route="uploads"} 5',
      'slipway_registry_request_duration_seconds_bucket{method="POST",route="uploads",le="+Inf"} 2',
      'slipway_registry_request_duration_seconds_count{method="POST",route="uploads"} 2',
      'slipway_registry_requests_in_flight 1',
      'slipway_registry_uploads_open 1',
      'slipway_registry_repositories 1',
      'slipway_registry_stored_bytes 5',
    ]) {
      expect(lines).toContain(line);
    }
    const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of samples) expect(line).toMatch(/^[a-z_]+(\{([a-z]+="[^"\n]*",?)+\})? [0-9.e+-]+$/);
  });

  it('are not there unless asked for', async () => {
    await using server = await startRegistry({ storage: openMemoryStorage() });
    expect((await send(server.host, 'GET', '/metrics')).status).toBe(404);
  });
});

describe.each(['disk', 'memory'])('quotas, on %s', (kind) => {
  let root: string;
  let storage: RegistryStorage;
  beforeEach(async () => {
    root = await mkdtemp(join(scratch, 'quotas-'));
    storage = kind === 'disk' ? await openDiskStorage(root) : openMemoryStorage();
  });
  afterEach(() => rm(root, { recursive: true }));
  const refused = { status: 403, code: 'DENIED' };

  it('keep a repository within a size', async () => {
    await using server = await startRegistry({ storage, repositoryQuota: 1000 });
    expect((await upload(server.host, 'a', 'a'.repeat(600))).status).toBe(201);
    expect(await upload(server.host, 'a', 'b'.repeat(600))).toMatchObject(refused);
    expect((await upload(server.host, 'a', 'a'.repeat(600))).status).toBe(403);
    expect((await upload(server.host, 'b', 'b'.repeat(600))).status).toBe(201);
    const mount = (digest: string): Promise<Answer> =>
      send(server.host, 'POST', `/v2/a/blobs/uploads/?mount=${digest}&from=b`);
    expect(await mount(digestOf('b'.repeat(600)))).toMatchObject(refused);
    await send(server.host, 'DELETE', `/v2/a/blobs/${digestOf('a'.repeat(600))}`);
    expect((await mount(digestOf('b'.repeat(600)))).status).toBe(201);
    const body = JSON.stringify({ schemaVersion: 2, manifests: [], annotations: { note: 'x'.repeat(500) } });
    const headers = { 'content-type': mediaTypes.ociIndex };
    expect(await send(server.host, 'PUT', '/v2/a/manifests/v1', { headers, body })).toMatchObject(refused);
    expect((await send(server.host, 'PUT', '/v2/c/manifests/v1', { headers, body })).status).toBe(201);
  });

  it('keep the registry within a size, unfinished uploads too', async () => {
    await using server = await startRegistry({ storage, quota: 1000 });
    expect((await upload(server.host, 'a', 'a'.repeat(600))).status).toBe(201);
    const start = await send(server.host, 'POST', '/v2/b/blobs/uploads/');
    const location = String(start.headers['location']);
    expect((await send(server.host, 'PATCH', location, { body: 'b'.repeat(300) })).status).toBe(202);
    expect(await upload(server.host, 'c', 'c'.repeat(200))).toMatchObject(refused);
    const streamed = await send(server.host, 'PATCH', location, { body: 'b'.repeat(200), streamed: true });
    expect(streamed).toMatchObject(refused);
    expect((await send(server.host, 'GET', location)).status).toBe(404);
    expect((await upload(server.host, 'c', 'c'.repeat(200))).status).toBe(201);
  });
});
