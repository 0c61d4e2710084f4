import { request as httpRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describe as describeContent, mediaTypes } from '../../../src/oci/index.ts';
import { FaultPlan, openRepository, parseFaults, type RegistrySession } from '../../../src/registry/index.ts';
import { embeddedRegistry, type EmbeddedRegistry, quickSession } from '../embedded.ts';

const blob = Buffer.alloc(300_000, 'b');
const descriptor = describeContent(mediaTypes.ociLayer, blob);
const blobPath = `/v2/a/b/blobs/${descriptor.digest}`;

let session: RegistrySession;
let store: EmbeddedRegistry;

beforeAll(async () => {
  session = quickSession();
  store = await embeddedRegistry();
  await openRepository(`${store.host}/a/b`, { session, credential: 'anonymous' }).push(descriptor, blob);
});
afterAll(async () => {
  await session.close();
  await store.close();
});

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  /** Milliseconds. */
  readonly patience?: number;
}

interface Got {
  readonly status?: number;
  readonly headers?: Record<string, unknown>;
  readonly body: Buffer;
  readonly ended: 'whole' | 'broken' | 'stalled';
}

/** One request on a connection of its own, as bare as can be. */
function ask(
  host: string,
  { method = 'GET', path = blobPath, headers = {}, body, patience = 5000 }: Asked = {},
): Promise<Got> {
  const [address, port] = host.split(':');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let answer: { readonly status?: number; readonly headers?: Record<string, unknown> } = {};
    const finish = (ended: Got['ended']): void => {
      clearTimeout(timer);
      sent.destroy();
      resolve({ ...answer, body: Buffer.concat(chunks), ended });
    };
    const timer = setTimeout(() => finish('stalled'), patience);
    const sent = httpRequest({ host: address, port, method, path, headers, agent: false }, (response) => {
      answer = { status: response.statusCode ?? 0, headers: response.headers };
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => finish('whole'));
      response.on('error', () => finish('broken'));
    });
    sent.on('error', () => finish('broken'));
    sent.end(body);
  });
}

/** A stall is waited for; nothing else is. */
const patienceFor = (expected: object) =>
  'ended' in expected && expected.ended === 'stalled' ? { patience: 300 } : {};

async function faulty(...rules: readonly Record<string, unknown>[]) {
  const plan = new FaultPlan(parseFaults(JSON.stringify({ faults: rules })));
  const server = await embeddedRegistry({ faults: plan });
  const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' });
  return { server, target };
}

async function withBlob(...rules: readonly Record<string, unknown>[]): Promise<EmbeddedRegistry> {
  const { server, target } = await faulty(...rules);
  await target.push(descriptor, blob);
  return server;
}

describe('a fault on a download', () => {
  const cases: readonly (readonly [string, Record<string, unknown>, Partial<Got> | { readonly length: number }])[] = [
    ['drops it before the answer', { fault: 'drop' }, { ended: 'broken', length: 0 }],
    ['drops it after some bytes', { fault: 'drop', at: 'answer', after: 70_000 }, { ended: 'broken', length: 70_000 }],
    ['ends it after some bytes', { fault: 'drop', at: 'answer', after: 7, how: 'end' }, { ended: 'broken', length: 7 }],
    [
      'stalls it after some bytes',
      { fault: 'stall', at: 'answer', after: 70_000 },
      { ended: 'stalled', length: 70_000 },
    ],
    ['stalls it after the headers', { fault: 'stall', at: 'answer' }, { ended: 'stalled', status: 200, length: 0 }],
    ['stalls it before the headers', { fault: 'stall' }, { ended: 'stalled', length: 0 }],
    ['loses the answer', { fault: 'drop', at: 'done' }, { ended: 'broken', length: 0 }],
    ['gives another status', { fault: 'status', status: 503, body: 'no' }, { status: 503, length: 2 }],
    ['shortens the body', { fault: 'shorten', by: 10 }, { ended: 'whole', length: 299_990 }],
    ['lengthens the body', { fault: 'lengthen', by: 10 }, { ended: 'whole', length: 300_010 }],
    [
      'lies about the length',
      { fault: 'headers', set: { 'content-length': '400000' } },
      { ended: 'broken', length: 300_000 },
    ],
    ['redirects it', { fault: 'redirect', to: '/else' }, { status: 307, length: 0 }],
  ];
  it.each(cases)('%s', async (_, rule, expected) => {
    await using server = await withBlob({ on: 'get-blob', ...rule });
    const got = await ask(server.host, patienceFor(expected));
    const { body, ...rest } = got;
    expect({ ...rest, length: body.length }).toMatchObject(expected);
    expect((await ask(server.host)).body.equals(blob)).toBe(true);
  });

  it('changes one byte', async () => {
    await using server = await withBlob({ on: 'get-blob', fault: 'corrupt', offset: 200_000 });
    const { body } = await ask(server.host);
    expect([body.length, body.findIndex((byte) => byte !== 98)]).toEqual([300_000, 200_000]);
  });

  it('compresses it', async () => {
    await using server = await withBlob({ on: 'get-blob', fault: 'encode' });
    const got = await ask(server.host);
    expect(got.headers).toMatchObject({ 'content-encoding': 'gzip' });
    expect(gunzipSync(got.body).equals(blob)).toBe(true);
  });

  const ranges: readonly (readonly [string, Record<string, unknown>, number, string | undefined])[] = [
    ['ignores a range', { fault: 'ignore-range' }, 300_000, undefined],
    ['gives another range', { fault: 'wrong-range', shift: 5 }, 99_995, 'bytes 200005-299999/300000'],
  ];
  it.each(ranges)('%s', async (_, rule, length, range) => {
    await using server = await withBlob({ on: 'get-blob', ...rule });
    const got = await ask(server.host, { headers: { range: 'bytes=200000-' } });
    expect([got.body.length, got.headers?.['content-range']]).toEqual([length, range]);
  });
});

describe('a fault on an upload', () => {
  const start = async (server: EmbeddedRegistry): Promise<string> => {
    const got = await ask(server.host, { method: 'POST', path: '/v2/a/b/blobs/uploads/' });
    return String(got.headers?.location);
  };
  const cases: readonly (readonly [string, Record<string, unknown>, Partial<Got>, string])[] = [
    ['drops it after some bytes', { fault: 'drop', at: 'body', after: 123_456 }, { ended: 'broken' }, '0-123455'],
    ['stalls it after some bytes', { fault: 'stall', at: 'body', after: 123_456 }, { ended: 'stalled' }, '0-123455'],
    [
      'answers after some bytes',
      { fault: 'status', at: 'body', after: 123_456, status: 401 },
      { status: 401 },
      '0-123455',
    ],
    ['answers before all bytes', { fault: 'status', status: 503 }, { status: 503 }, '0-0'],
    ['loses the answer', { fault: 'drop', at: 'done' }, { ended: 'broken' }, '0-299999'],
    ['answers in place of the registry', { fault: 'status', at: 'done', status: 500 }, { status: 500 }, '0-299999'],
  ];
  it.each(cases)('%s', async (_, rule, expected, range) => {
    const { server } = await faulty({ on: 'patch', ...rule });
    await using _server = server;
    const path = await start(server);
    const headers = { 'content-length': String(blob.length), 'content-range': `0-${blob.length - 1}` };
    expect(
      await ask(server.host, { method: 'PATCH', path, headers, body: blob, ...patienceFor(expected) }),
    ).toMatchObject(expected);
    expect((await ask(server.host, { path })).headers).toMatchObject({ range });
  });

  it('loses the session', async () => {
    const { server } = await faulty({ on: 'patch', fault: 'lose-session' });
    await using _server = server;
    const path = await start(server);
    expect(await ask(server.host, { method: 'PATCH', path, body: blob })).toMatchObject({ status: 404 });
    expect(await ask(server.host, { path })).toMatchObject({ status: 404 });
    expect(await ask(server.host, { path: await start(server) })).toMatchObject({ status: 204 });
  });

  it('moves the session', async () => {
    const { server } = await faulty({ on: 'start-upload', fault: 'move-session', to: 'http://127.0.0.1:9' });
    await using _server = server;
    expect(await start(server)).toMatch(/^http:\/\/127\.0\.0\.1:9\/v2\/a\/b\/blobs\/uploads\/./);
  });
});

describe('a rule', () => {
  const statuses = async (rule: Record<string, unknown>, paths: readonly string[]): Promise<number[]> => {
    const { server } = await faulty({ fault: 'status', status: 503, ...rule });
    await using _server = server;
    const got: number[] = [];
    for (const path of paths) got.push((await ask(server.host, { path })).status ?? 0);
    return got;
  };
  const cases: readonly (readonly [string, Record<string, unknown>, readonly string[], readonly number[]])[] = [
    ['strikes once unless it says more', {}, ['/v2/', '/v2/'], [503, 200]],
    ['strikes so many times', { times: 2 }, ['/v2/', '/v2/', '/v2/'], [503, 503, 200]],
    ['strikes for ever', { times: 'forever' }, ['/v2/', '/v2/', '/v2/'], [503, 503, 503]],
    ['lets some pass first', { skip: 1 }, ['/v2/', '/v2/', '/v2/'], [200, 503, 200]],
    ['strikes one operation', { on: 'tags' }, ['/v2/', '/v2/a/tags/list'], [200, 503]],
    ['strikes one path', { path: '/v2/*/tags/l*' }, ['/v2/', '/v2/a/tags/list'], [200, 503]],
    ['strikes bodies of some size', { minSize: 1 }, ['/v2/'], [200]],
    ['strikes one method', { method: 'put' }, ['/v2/'], [200]],
  ];
  it.each(cases)('%s', async (_, rule, paths, expected) => {
    expect(await statuses(rule, paths)).toEqual(expected);
  });

  it('may close the first connection', async () => {
    const { server } = await faulty({ on: 'connection', fault: 'drop' });
    await using _server = server;
    expect(await ask(server.host, { path: '/v2/' })).toMatchObject({ ended: 'broken' });
    expect(await ask(server.host, { path: '/v2/' })).toMatchObject({ status: 200 });
  });

  it('may expire the token that a request carries', async () => {
    const { server } = await faulty({
      on: 'ping',
      skip: 1,
      fault: 'expire-token',
      challenge: 'Bearer realm="http://x"',
    });
    await using _server = server;
    const withToken = (authorization: string) => ask(server.host, { path: '/v2/', headers: { authorization } });
    expect(await withToken('Bearer a')).toMatchObject({ status: 200 });
    expect(await withToken('Bearer a')).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="http://x"' },
    });
    expect(await withToken('Bearer a')).toMatchObject({ status: 401 });
    expect(await withToken('Bearer b')).toMatchObject({ status: 200 });
  });
});
