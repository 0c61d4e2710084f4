import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, afterEach, describe, expect, it } from '@jest/globals';
import { describe as describeContent, mediaTypes } from '../../src/oci/index.ts';
import { openRepository, type RegistrySession } from '../../src/registry/index.ts';
import { quickSession } from './embedded.ts';
import { reply, type Script, type ScriptedServer, scriptedServer, type Seen } from './scripted-server.ts';

const content = randomBytes(3 * 1024 * 1024);
const descriptor = describeContent(mediaTypes.ociLayer, content);
let session: RegistrySession;
let server: ScriptedServer | undefined;

beforeAll(() => {
  session = quickSession({ stallTimeout: 1000, headersTimeout: 1000 });
});
afterAll(() => session.close());
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function fetchFrom(script: Script): Promise<{ readonly bytes: Buffer; readonly seen: readonly Seen[] }> {
  server = await scriptedServer(script);
  const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' });
  const chunks: Buffer[] = [];
  for await (const chunk of (await target.fetch(descriptor)) as AsyncIterable<Buffer>) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), seen: server.seen };
}

const startOf = (seen: Seen): number => Number(/^bytes=(\d+)-$/.exec(String(seen.headers.range ?? ''))?.[1] ?? 0);

/** Answers from the asked offset on, says so, and breaks the connection after `most` bytes. */
function part(seen: Seen, response: ServerResponse, most: number): void {
  const start = startOf(seen);
  const headers = {
    'content-length': content.length - start,
    ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
  };
  response.writeHead(start === 0 ? 200 : 206, headers);
  const end = Math.min(content.length, start + most);
  if (end === content.length) response.end(content.subarray(start));
  else response.write(content.subarray(start, end), () => setTimeout(() => response.destroy(), 20));
}

describe('a blob arrives', () => {
  let times = 0;
  afterEach(() => {
    times = 0;
  });
  const first = (): boolean => times++ === 0;

  const cases: readonly (readonly [string, Script])[] = [
    ['at once', (_, response) => reply(response, 200, {}, content)],
    ['after one broken connection', (seen, response) => part(seen, response, first() ? 1_000_000 : content.length)],
    ['in many pieces', (seen, response) => part(seen, response, 256 * 1024)],
    [
      'where the server ignores Range',
      (seen, response) => (first() ? part(seen, response, 1_000_000) : reply(response, 200, {}, content)),
    ],
    [
      'where the server gives the wrong range',
      (seen, response) => {
        if (first()) return part(seen, response, 1_000_000);
        if (seen.headers.range === undefined) return reply(response, 200, {}, content);
        const headers = { 'content-range': `bytes 5-${content.length - 1}/${content.length}` };
        return reply(response, 206, headers, content.subarray(5));
      },
    ],
    [
      'after a stall',
      (seen, response) => {
        if (!first()) return part(seen, response, content.length);
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 1_000_000));
      },
    ],
    ['after headers that never came', (seen, response) => (first() ? undefined : part(seen, response, content.length))],
    [
      'after a burst of 503',
      (seen, response) => (times++ < 3 ? reply(response, 503) : part(seen, response, content.length)),
    ],
    ['compressed by a proxy', (_, response) => reply(response, 200, { 'content-encoding': 'gzip' }, gzipSync(content))],
    ['with a label only', (_, response) => reply(response, 200, { 'content-encoding': 'gzip' }, content)],
    [
      'compressed by a proxy, after one broken connection',
      (_, response) => {
        const body = gzipSync(content);
        if (!first()) return reply(response, 200, { 'content-encoding': 'gzip' }, body);
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length });
        response.write(body.subarray(0, 1_000_000), () => setTimeout(() => response.destroy(), 20));
      },
    ],
    [
      'chunked, without a length',
      (_, response) => {
        response.writeHead(200);
        response.end(content);
      },
    ],
  ];
  it.each(cases)('%s', async (_, script) => {
    expect(Buffer.compare((await fetchFrom(script)).bytes, content)).toBe(0);
  });

  it('with Accept-Encoding: identity, and is continued where it stopped', async () => {
    const { seen } = await fetchFrom((one, response) => part(one, response, 2 * 1024 * 1024));
    expect(seen[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(seen.length).toBe(2);
    expect(startOf(seen[1] as Seen)).toBeGreaterThan(1_000_000);
  });
});

describe('a blob is refused', () => {
  const forged = Buffer.from(content);
  forged[7] = (forged[7] ?? 0) ^ 1;
  const chunked = (body: Buffer) => (_: Seen, response: ServerResponse) => {
    response.writeHead(200);
    response.end(body);
  };
  const cases: readonly (readonly [string, Script, string])[] = [
    ['with other bytes', (_, response) => reply(response, 200, {}, forged), 'DIGEST_MISMATCH'],
    ['shorter than described', (_, response) => reply(response, 200, {}, content.subarray(1)), 'SIZE_MISMATCH'],
    ['shorter than described, chunked', chunked(content.subarray(1)), 'SIZE_MISMATCH'],
    [
      'longer than described',
      (_, response) => reply(response, 200, {}, Buffer.concat([content, forged])),
      'SIZE_MISMATCH',
    ],
    ['longer than described, chunked', chunked(Buffer.concat([content, forged])), 'SIZE_MISMATCH'],
    [
      'that is a bomb',
      (_, response) => reply(response, 200, { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(64 * 1024 * 1024))),
      'SIZE_MISMATCH',
    ],
    ['that is not there', (_, response) => reply(response, 404), 'NOT_FOUND'],
    ['that breaks for ever', (_, response) => void response.destroy(), 'NETWORK'],
    ['with 500 for ever', (_, response) => reply(response, 500), 'UNAVAILABLE'],
    ['in an unknown encoding', (_, response) => reply(response, 200, { 'content-encoding': 'x' }, 'y'), 'BAD_RESPONSE'],
  ];
  it.each(cases)('%s', async (_, script, code) => {
    await expect(fetchFrom(script)).rejects.toMatchObject({ code });
  });

  it('when the caller gives up', async () => {
    const controller = new AbortController();
    server = await scriptedServer((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000));
    });
    const target = openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' });
    const stream = await target.fetch(descriptor, { signal: controller.signal });
    const read = (async () => {
      for await (const _ of stream) controller.abort();
    })();
    await expect(read).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a redirected blob', () => {
  it('gets no credential on another port, and arrives', async () => {
    const store = await scriptedServer((_, response) => reply(response, 200, {}, content));
    try {
      server = await scriptedServer((seen, response) => {
        if (seen.headers.authorization === undefined)
          return reply(response, 401, { 'www-authenticate': 'Basic realm="x"' });
        return reply(response, 307, { location: `${store.url}/blob?sig=1` });
      });
      const credential = { kind: 'basic', username: 'u', password: 'c4n4ry' } as const;
      const target = openRepository(`${server.host}/a/b`, { session, credential });
      const chunks: Buffer[] = [];
      for await (const chunk of (await target.fetch(descriptor)) as AsyncIterable<Buffer>) chunks.push(chunk);
      expect(Buffer.compare(Buffer.concat(chunks), content)).toBe(0);
      expect(store.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    } finally {
      await store.close();
    }
  });

  it('whose store asks for a login does not get ours', async () => {
    const store = await scriptedServer((_, response) =>
      reply(response, 401, { 'www-authenticate': 'Basic realm="x"' }),
    );
    try {
      server = await scriptedServer((_, response) => reply(response, 307, { location: store.url }));
      const credential = { kind: 'basic', username: 'u', password: 'c4n4ry' } as const;
      const target = openRepository(`${server.host}/a/b`, { session, credential });
      await expect(target.fetch(descriptor)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      expect(store.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    } finally {
      await store.close();
    }
  });
});

describe('a large blob', () => {
  const pieces = 12;
  let busy = 0;
  let most = 0;

  /** Gives the part asked for, slowly enough for others to be asked for meanwhile. */
  const slowly =
    (spoil: (start: number, count: number) => 'break' | 'ignore' | 'corrupt' | undefined): Script =>
    async (seen, response) => {
      const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(String(seen.headers.range ?? '')) ?? [];
      const [start, end] = [Number(from), to === '' ? content.length : Number(to) + 1];
      const deed = spoil(start, server?.seen.length ?? 0);
      if (deed === 'ignore' || seen.headers.range === undefined) return reply(response, 200, {}, content);
      busy += 1;
      most = Math.max(most, busy);
      await new Promise((resolve) => setTimeout(resolve, 10));
      busy -= 1;
      const part = Buffer.from(content.subarray(start, end));
      if (deed === 'corrupt') part[7] = (part[7] ?? 0) ^ 1;
      const headers = { 'content-range': `bytes ${start}-${end - 1}/${content.length}`, 'content-length': part.length };
      response.writeHead(206, headers);
      if (deed === 'break') response.write(part.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 10));
      else response.end(part);
    };

  async function fetchInPieces(script: Script, settings: { parallelStreams?: number } = {}): Promise<Buffer> {
    [busy, most] = [0, 0];
    const own = quickSession({ parallelFrom: 1 << 20, pieceSize: content.length / pieces, ...settings });
    try {
      server = await scriptedServer(script);
      const target = openRepository(`${server.host}/a/b`, { session: own, credential: 'anonymous' });
      const chunks: Buffer[] = [];
      for await (const chunk of (await target.fetch(descriptor)) as AsyncIterable<Buffer>) chunks.push(chunk);
      return Buffer.concat(chunks);
    } finally {
      await own.close();
    }
  }

  const good: readonly (readonly [string, Parameters<typeof slowly>[0]])[] = [
    ['comes in pieces', () => undefined],
    ['comes where each piece breaks once', (start, count) => (count <= pieces && start > 0 ? 'break' : undefined)],
    ['comes whole where Range is ignored', () => 'ignore'],
    [
      'comes where Range is ignored from the third piece on',
      (start) => (start > (content.length * 2) / pieces ? 'ignore' : undefined),
    ],
  ];
  it.each(good)('%s', async (_, spoil) => {
    expect((await fetchInPieces(slowly(spoil))).equals(content)).toBe(true);
  });

  it('has four connections at most, several at once, and as many as are said', async () => {
    await fetchInPieces(slowly(() => undefined));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    await server?.close();
    await fetchInPieces(
      slowly(() => undefined),
      { parallelStreams: 1 },
    );
    expect(server?.seen).toHaveLength(1);
  });

  it('of wrong bytes is refused', async () => {
    const spoil = (start: number) => (start > content.length / 2 ? 'corrupt' : undefined);
    await expect(fetchInPieces(slowly(spoil))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });
});

describe('a manifest', () => {
  const empty = describeContent(mediaTypes.ociEmpty, Buffer.from('{}'));
  const body = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: empty, layers: [] }),
  );
  const manifest = describeContent(mediaTypes.ociManifest, body);
  const headers = { 'content-type': mediaTypes.ociManifest, 'docker-content-digest': manifest.digest };
  const resolve = async (reference: string, script: Script) => {
    server = await scriptedServer(script);
    return openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' }).resolve(reference);
  };

  const resolved: readonly (readonly [string, Script, readonly string[]])[] = [
    ['by HEAD alone', (_, response) => reply(response, 200, headers, body), ['HEAD']],
    [
      'by GET where HEAD is refused',
      (seen, response) => (seen.method === 'HEAD' ? reply(response, 405) : reply(response, 200, headers, body)),
      ['HEAD', 'GET'],
    ],
    [
      'by GET where HEAD tells no digest',
      (_, response) => reply(response, 200, { 'content-type': mediaTypes.ociManifest }, body),
      ['HEAD', 'GET'],
    ],
    [
      'by its body where the type says nothing',
      (_, response) => reply(response, 200, { ...headers, 'content-type': 'text/plain' }, body),
      ['HEAD', 'GET'],
    ],
    [
      'after a connection broke within the body',
      (seen, response) => {
        if (seen.method === 'HEAD') return reply(response, 405);
        if ((server?.seen.length ?? 0) > 2) return reply(response, 200, headers, body);
        response.writeHead(200, { ...headers, 'content-length': body.length });
        response.write(body.subarray(0, 9), () => setTimeout(() => response.destroy(), 20));
      },
      ['HEAD', 'GET', 'GET'],
    ],
  ];
  it.each(resolved)('is resolved %s', async (_, script, methods) => {
    expect(await resolve('v1', script)).toEqual(manifest);
    expect(server?.seen.map(({ method }) => method)).toEqual(methods);
    expect(server?.seen[0]?.headers.accept).toContain(mediaTypes.dockerIndex);
  });

  const other = describeContent(mediaTypes.ociManifest, Buffer.from('other')).digest;
  const get =
    (fields: Record<string, string>, bytes: Buffer): Script =>
    (seen, response) =>
      seen.method === 'HEAD' ? reply(response, 405) : reply(response, 200, fields, bytes);
  const refused: readonly (readonly [string, string, Script, string])[] = [
    [
      'whose header lies',
      manifest.digest,
      get({ ...headers, 'docker-content-digest': other }, body),
      'DIGEST_MISMATCH',
    ],
    [
      'whose HEAD names another digest',
      manifest.digest,
      (_, response) => reply(response, 200, { ...headers, 'docker-content-digest': other }, body),
      'DIGEST_MISMATCH',
    ],
    ['of other bytes', other, get({}, body), 'DIGEST_MISMATCH'],
    ['of another type than its header', 'v1', get({ 'content-type': mediaTypes.ociIndex }, body), 'BAD_RESPONSE'],
    ['cut off', 'v1', get({ 'content-type': mediaTypes.ociManifest }, body.subarray(0, 20)), 'BAD_RESPONSE'],
    ['of 9 MiB', 'v1', get(headers, Buffer.alloc(9 * 1024 * 1024, 32)), 'TOO_LARGE'],
    ['that is not there', 'v1', (_, response) => reply(response, 404), 'NOT_FOUND'],
    ['with a tag that is a path', '../../x', (_, response) => reply(response, 404), 'INVALID_NAME'],
  ];
  it.each(refused)('%s is refused', async (_, reference, script, code) => {
    await expect(resolve(reference, script)).rejects.toMatchObject({ code });
  });
});

describe('a list of tags', () => {
  const tagsFrom = async (script: Script) => {
    server = await scriptedServer(script);
    return openRepository(`${server.host}/a/b`, { session, credential: 'anonymous' }).listTags();
  };
  it('is followed to its end', async () => {
    const script: Script = ({ url }, response) =>
      url.includes('last=b')
        ? reply(response, 200, {}, '{"tags":["c"]}')
        : reply(response, 200, { link: '</v2/a/b/tags/list?n=2&last=b>; rel="next"' }, '{"tags":["a","b"]}');
    expect(await tagsFrom(script)).toEqual(['a', 'b', 'c']);
  });
  const refused: readonly (readonly [string, string])[] = [
    ['another host', '<http://127.0.0.1:1/v2/>; rel="next"'],
    ['itself', '</v2/a/b/tags/list?n=1000>; rel="next"'],
  ];
  it.each(refused)('that continues at %s is refused', async (_, link) => {
    const script: Script = (_seen, response) => reply(response, 200, { link }, '{"tags":["a"]}');
    await expect(tagsFrom(script)).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
  it('may be null', async () => {
    expect(await tagsFrom((_, response) => reply(response, 200, {}, '{"tags":null}'))).toEqual([]);
  });
});
