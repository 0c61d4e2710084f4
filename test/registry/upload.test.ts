import { randomBytes } from 'node:crypto';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { describe as describeContent, mediaTypes } from '../../src/oci/index.ts';
import { openRepository, type RegistrySession } from '../../src/registry/index.ts';
import { embeddedRegistry, type EmbeddedRegistry, quickSession } from './embedded.ts';
import { reply, scriptedServer } from './scripted-server.ts';

const content = randomBytes(20 * 1024 * 1024 + 5);
const descriptor = describeContent(mediaTypes.ociLayer, content);
const small = randomBytes(1024 * 1024);
const smallDescriptor = describeContent(mediaTypes.ociLayer, small);

let session: RegistrySession;
let registry: EmbeddedRegistry;
let proxy: FaultyProxy | undefined;

beforeAll(async () => {
  session = quickSession({ stallTimeout: 1000, headersTimeout: 1000 });
  registry = await embeddedRegistry();
});
afterAll(async () => {
  await session.close();
  await registry.close();
});
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
});

interface FaultyProxy {
  readonly host: string;
  /** Methods in the order in which they came. */
  readonly methods: string[];
  close(): Promise<void>;
}

/** What the proxy does instead of passing a request on whole; `count` is how many of this method came before. */
type Fault = (method: string, count: number) => Deed | undefined;
type Deed =
  /** Passes so many bytes on, then breaks both connections. */
  | { readonly cutAfter: number }
  /** Answers by itself. */
  | { readonly status: number; readonly headers?: Record<string, string> }
  /** Passes the request on and loses the answer. */
  | { readonly loseAnswer: true }
  /** Takes nothing. */
  | { readonly stall: true };

/** Stands before the embedded registry and spoils some requests. */
async function faultyProxy(fault: Fault): Promise<FaultyProxy> {
  const methods: string[] = [];
  const server: Server = createServer((incoming, outgoing) => {
    const method = incoming.method ?? '';
    const deed = fault(method, methods.filter((known) => known === method).length);
    methods.push(method);
    if (deed !== undefined && 'status' in deed) {
      incoming.resume().on('end', () => reply(outgoing, deed.status, deed.headers));
      return;
    }
    if (deed !== undefined && 'stall' in deed) return;
    const [address, port] = registry.host.split(':');
    const headers = { ...incoming.headers };
    const onward = httpRequest({ host: address, port, method, path: incoming.url, headers }, (answer) => {
      if (deed !== undefined && 'loseAnswer' in deed) {
        answer.resume().on('end', () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    let passed = 0;
    incoming.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (deed === undefined || !('cutAfter' in deed) || passed < deed.cutAfter) {
        onward.write(chunk);
        return;
      }
      incoming.pause();
      onward.write(chunk, () => setTimeout(() => (onward.destroy(), outgoing.destroy()), 50));
    });
    incoming.on('end', () => onward.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { host: `127.0.0.1:${address.port}`, methods, close };
}

let repositories = 0;

async function pushThrough(fault: Fault, of: 'stream' | 'bytes' | 'small' = 'stream'): Promise<boolean> {
  proxy = await faultyProxy(fault);
  const name = `faulty/r${repositories++}`;
  const target = openRepository(`${proxy.host}/${name}`, { session, credential: 'anonymous' });
  const pieces = function* () {
    for (let at = 0; at < content.length; at += 300_000) yield content.subarray(at, at + 300_000);
  };
  if (of === 'small') await target.push(smallDescriptor, small);
  else await target.push(descriptor, of === 'bytes' ? content : Readable.from(pieces(), { objectMode: false }));
  const there = openRepository(`${registry.host}/${name}`, { session, credential: 'anonymous' });
  return there.exists(of === 'small' ? smallDescriptor : descriptor);
}

const on = (method: string, counts: readonly number[], deed: Deed): Fault => {
  return (asked, count) => (asked === method && counts.includes(count) ? deed : undefined);
};

describe('an upload in chunks', () => {
  const cases: readonly (readonly [string, Fault])[] = [
    ['goes through', () => undefined],
    ['goes on after the first chunk broke', on('PATCH', [0], { cutAfter: 3_000_000 })],
    ['goes on after a later chunk broke', on('PATCH', [1], { cutAfter: 3_000_000 })],
    [
      'goes on after many breaks',
      (method, count) => (method === 'PATCH' && count < 5 ? { cutAfter: 2_000_000 } : undefined),
    ],
    ['goes on after an answer was lost', on('PATCH', [1], { loseAnswer: true })],
    ['goes on after 503', on('PATCH', [0, 1], { status: 503 })],
    ['goes on after 429', on('PATCH', [1], { status: 429, headers: { 'retry-after': '7' } })],
    ['goes on after a stall', on('PATCH', [1], { stall: true })],
    ['starts after POST was refused for a moment', on('POST', [0, 1], { status: 503 })],
    ['ends after the last PUT was refused for a moment', on('PUT', [0], { status: 500 })],
    ['ends after the answer to the last PUT was lost', on('PUT', [0], { loseAnswer: true })],
  ];
  it.each(cases)('%s', async (_, fault) => {
    expect(await pushThrough(fault)).toBe(true);
  });

  it('uses three PATCHes for 20 MiB', async () => {
    await pushThrough(() => undefined);
    expect(proxy?.methods.filter((method) => method !== 'HEAD')).toEqual(['POST', 'PATCH', 'PATCH', 'PATCH', 'PUT']);
  });

  it('is cancelled when it fails', async () => {
    await expect(pushThrough(on('PATCH', [1], { status: 403 }))).rejects.toMatchObject({ code: 'DENIED' });
    expect(proxy?.methods.at(-1)).toBe('DELETE');
  });
});

describe('an upload in one request', () => {
  const cases: readonly (readonly [string, Fault])[] = [
    ['goes through', () => undefined],
    ['is repeated after it broke', on('PUT', [0, 1], { cutAfter: 3_000_000 })],
    ['is repeated after 500', on('PUT', [0], { status: 500 })],
    ['is repeated after a stall', on('PUT', [0], { stall: true })],
    ['is repeated after its answer was lost', on('PUT', [0], { loseAnswer: true })],
    ['is divided where a proxy takes no large requests', on('PUT', [0], { status: 413 })],
  ];
  it.each(cases)('%s', async (_, fault) => {
    expect(await pushThrough(fault, 'bytes')).toBe(true);
  });

  it('gives up in the end', async () => {
    const fault: Fault = (method) => (method === 'PUT' ? { status: 500 } : undefined);
    await expect(pushThrough(fault, 'small')).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 500 });
    expect(proxy?.methods.filter((method) => method === 'PUT')).toHaveLength(6);
  });
});

describe('a registry that never gets on', () => {
  const long = randomBytes(9 * 1024 * 1024);
  const forms: readonly (readonly [string, Buffer, () => Buffer | Readable])[] = [
    ['content', small, () => small],
    ['a stream', long, () => Readable.from([long])],
  ];

  it.each(forms)('with %s, since its status goes back and forth, is given up', async (_, bytes, make) => {
    let asked = 0;
    const server = await scriptedServer(({ method }, response) => {
      if (method === 'POST') return reply(response, 202, { location: '/v2/a/blobs/uploads/1' });
      if (method === 'GET') return reply(response, 204, { range: asked++ % 2 === 0 ? '0-4' : '0-0' });
      return reply(response, method === 'DELETE' ? 204 : asked > 50 ? 400 : 503);
    });
    const target = openRepository(`${server.host}/a`, { session, credential: 'anonymous' });
    const pushed = target.push(describeContent(mediaTypes.ociLayer, bytes), make());
    await expect(pushed).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(asked).toBeLessThan(20);
    await server.close();
  });

  it('since it expects another byte each time, is given up', async () => {
    let count = 0;
    const server = await scriptedServer(({ method }, response) => {
      if (method === 'POST') return reply(response, 202, { location: '/v2/a/blobs/uploads/1' });
      if (method === 'GET' || method === 'HEAD' || method === 'DELETE') return reply(response, 404);
      count += 1;
      const words = `First byte of the layer part is 7 instead of ${count % 2}`;
      return reply(response, count > 50 ? 400 : 416, {}, words);
    });
    const target = openRepository(`${server.host}/a`, { session, credential: 'anonymous' });
    await expect(target.push(smallDescriptor, small)).rejects.toMatchObject({ status: 416 });
    expect(count).toBeLessThan(20);
    await server.close();
  });
});

describe('an upload location', () => {
  it('on another port gets the bytes and no credential', async () => {
    const store = await scriptedServer((_, response) => reply(response, 201));
    const front = await scriptedServer((seen, response) => {
      if (seen.headers.authorization === undefined)
        return reply(response, 401, { 'www-authenticate': 'Basic realm="x"' });
      return reply(response, 202, { location: `${store.url}/up?state=%2B~1` });
    });
    try {
      const credential = { kind: 'basic', username: 'u', password: 'c4n4ry' } as const;
      await openRepository(`${front.host}/a/b`, { session, credential }).push(smallDescriptor, small);
      const [put] = store.seen;
      expect(put?.headers.authorization).toBeUndefined();
      expect(put?.url).toBe(`/up?state=%2B~1&digest=${encodeURIComponent(smallDescriptor.digest)}`);
      expect(put?.body.equals(small)).toBe(true);
    } finally {
      await store.close();
      await front.close();
    }
  });
});

describe('a mount', () => {
  const options = () => ({ session, credential: 'anonymous' as const });

  it('takes a blob from another repository of the registry', async () => {
    const from = openRepository(`${registry.host}/mount/from`, options());
    const to = openRepository(`${registry.host}/mount/to`, options());
    await from.push(smallDescriptor, small);
    expect(await to.mount(smallDescriptor, from)).toBe(true);
    expect(await to.exists(smallDescriptor)).toBe(true);
  });

  it('of what is not there is false', async () => {
    const from = openRepository(`${registry.host}/mount/nothing`, options());
    const to = openRepository(`${registry.host}/mount/none`, options());
    expect(await to.mount(descriptor, from)).toBe(false);
  });

  it('from another registry is false, without a request', async () => {
    const from = openRepository('other.example.com/a/b', options());
    const to = openRepository('127.0.0.1:1/a/b', options());
    expect(await to.mount(descriptor, from)).toBe(false);
  });
});

it('a tag that cannot be moved and is right already is a success', async () => {
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }));
  const index = describeContent(mediaTypes.ociIndex, body);
  const headers = { 'content-type': mediaTypes.ociIndex, 'docker-content-digest': index.digest };
  const server = await scriptedServer((seen, response) =>
    seen.method === 'PUT' && seen.url.endsWith('/v1')
      ? reply(response, 400, {}, '{"errors":[{"code":"TAG_INVALID","message":"immutable"}]}')
      : reply(response, seen.method === 'PUT' ? 201 : 200, headers, body),
  );
  try {
    const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' });
    await target.push(index, body);
    await target.tag(index, 'v1');
    expect(server.seen.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD']);
  } finally {
    await server.close();
  }
});
