import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noAccess, type RemoteAccess } from '../../../src/build/contexts/secrets.ts';
import { UrlSource, type UrlSourceOptions, type UrlWanted } from '../../../src/build/contexts/http/url-source.ts';
import { digestOf } from '../../../src/oci/index.ts';
import { MemoryFacts } from './memory-facts.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers by path, and what was asked. */
class Web {
  readonly seen: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = [];
  readonly #server: Server;

  constructor(answers: Readonly<Record<string, Answer>>) {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://x');
      this.seen.push({ path: request.url ?? '', headers: request.headers });
      const answer = answers[pathname];
      if (answer === undefined) response.end('content');
      else answer(request, response);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get base(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let cuts = 0;
const answers: Record<string, Answer> = {
  '/moved': (_, response) => response.writeHead(302, { location: '/file.txt' }).end(),
  '/round': (_, response) => response.writeHead(302, { location: '/round' }).end(),
  '/nowhere': (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/missing': (_, response) => response.writeHead(404).end('no'),
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('abc', () => response.destroy());
  },
  '/cut-once': (_, response) => {
    if (++cuts > 1) return void response.end('whole');
    response.writeHead(200, { 'content-length': '5' });
    response.write('wh', () => response.destroy());
  },
  '/dated': (_, response) => response.writeHead(200, { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT' }).end('x'),
  '/disposed': (_, response) =>
    response.writeHead(200, { 'content-disposition': 'attachment; filename="../../x"' }).end('x'),
  '/private': (request, response) =>
    request.headers.authorization === undefined ? response.writeHead(401).end() : response.end('private'),
};

let web: Web;
let folder: string;

beforeAll(async () => {
  web = await new Web(answers).start();
  folder = mkdtempSync(join(tmpdir(), 'slipway-download-'));
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await web[Symbol.asyncDispose]();
});

function source(wanted: string | UrlWanted, options: Partial<UrlSourceOptions> = {}): UrlSource {
  return new UrlSource(typeof wanted === 'string' ? { url: wanted } : wanted, {
    access: noAccess,
    facts: new MemoryFacts(),
    scratch: () => mkdtemp(join(folder, 's-')),
    ...options,
  });
}

describe('a download', () => {
  it('keeps name and time, and is for its owner alone', async () => {
    const file = source(`${web.base}/dated?token=secret`);
    const stats = statSync(join(await file.open(), file.name));
    expect([file.name, stats.mode & 0o777, stats.mtime.toISOString()]).toEqual([
      'dated',
      0o600,
      '2020-01-01T00:00:00.000Z',
    ]);
  });

  it('has the time 1970 where the server tells none: a result does not hang on the clock', async () => {
    const file = source(`${web.base}/a`);
    expect(statSync(join(await file.open(), 'a')).mtimeMs).toBe(0);
  });

  const names: readonly (readonly [path: string, name: string])[] = [
    ['/%2e%2e%2fescape', '__unnamed__'],
    ['/moved', 'moved'],
    ['/disposed', 'disposed'],
    ['/', '__unnamed__'],
    ['/a/b/', 'b'],
    ['/a/..', '__unnamed__'],
    ['/%2e%2e', '__unnamed__'],
    ['/100%', '100%'],
    ['/x%00y', '__unnamed__'],
    ['/x%0dy', '__unnamed__'],
    ['/x%0a', 'x'],
    ['/x%1b[2J', '__unnamed__'],
    ['/%E8%B3%87.txt', '資.txt'],
    [`/${'a'.repeat(256)}`, '__unnamed__'],
  ];
  it.each(names)('%j is called %j', async (path, name) => {
    const file = source(web.base + path);
    expect(file.name).toBe(name);
    expect(readdirSync(await file.open())).toEqual([name]);
  });

  it('checks the checksum', async () => {
    await source({ url: `${web.base}/a`, checksum: digestOf('content') }).open();
    const wrong = source({ url: `${web.base}/b`, checksum: digestOf('other') }).open();
    await expect(wrong).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });

  it('with a checksum is known without asking', async () => {
    const before = web.seen.length;
    const identity = await source({ url: `${web.base}/a`, checksum: digestOf('x') }).identity();
    expect(JSON.parse(identity)).toEqual(['url', digestOf('x'), 'a']);
    expect(web.seen.length).toBe(before);
  });

  it('is asked for once, for the key and for the copy', async () => {
    const before = web.seen.length;
    const file = source(`${web.base}/once`);
    await file.identity();
    await Promise.all([file.open(), file.open()]);
    expect(web.seen.length).toBe(before + 1);
  });

  it('that was cut off is asked for again', async () => {
    const file = source(`${web.base}/cut-once`);
    expect(readFileSync(join(await file.open(), file.name), 'utf8')).toBe('whole');
  });

  it('has a time: what the server says, else the newest file of an archive', async () => {
    const block = Buffer.alloc(1024);
    block.write('f\0'.padEnd(100, '\0') + '0000644\0' + '0000000\0' + '0000000\0' + '00000000000\0');
    block.write((1_600_000_000).toString(8), 136);
    block.write('        0', 148);
    block.write('ustar\x0000', 257);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await using server = await new Web({
      '/a.tar': (_, response) => void response.end(Buffer.concat([block, Buffer.alloc(512)])),
    }).start();
    expect(await source(`${web.base}/dated`).time()).toBe(Date.UTC(2020, 0, 1) / 1000);
    expect(await source(`${server.base}/a.tar`).time()).toBe(1_600_000_000);
    expect(await source(`${web.base}/a`).time()).toBeUndefined();
  });

  it('refuses what is no URL', () => {
    expect(() => source('http://[bad/x')).toThrow(expect.objectContaining({ code: 'DOWNLOAD_FAILED' }));
  });

  const failures: readonly (readonly [path: string, message: RegExp])[] = [
    ['/missing', /invalid response status 404/],
    ['/round', /more than 10 redirects/],
    ['/nowhere', /not an http URL/],
    ['/cut', /./],
  ];
  it.each(failures)('fails for %s without showing what the query holds, and leaves nothing', async (path, message) => {
    const own = mkdtempSync(join(folder, 'own-'));
    const failed = await source(`${web.base}${path}?token=secret`, { scratch: () => Promise.resolve(own) })
      .open()
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'DOWNLOAD_FAILED', message: expect.stringMatching(message) });
    expect((failed as Error).message).not.toContain('secret');
    expect(readdirSync(own)).toEqual([]);
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    await using slow = await new Web({ '/slow': (_, response) => void response.write('a') }).start();
    const waiting = source(`${slow.base}/slow`, { signal: controller.signal }).open();
    while (slow.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('a download that is known already', () => {
  const validators: readonly (readonly [name: string, headers: Record<string, string>, asked: string | undefined])[] = [
    ['an entity tag', { etag: '"1"' }, 'if-none-match'],
    ['a weak entity tag, which allows other bytes', { etag: 'W/"1"' }, undefined],
    ['what is no entity tag', { etag: 'x' }, undefined],
    [
      'a time of change long before the answer',
      { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT', date: 'Wed, 01 Jan 2020 00:01:00 GMT' },
      'if-modified-since',
    ],
    [
      'a time of change in which another may hide',
      { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT', date: 'Wed, 01 Jan 2020 00:00:59 GMT' },
      undefined,
    ],
    ['nothing', {}, undefined],
  ];
  it.each(validators)('by %s', async (_, headers, asked) => {
    await using server = await new Web({
      '/f': (request, response) => {
        const known = asked !== undefined && request.headers[asked] !== undefined;
        response.sendDate = false;
        response.writeHead(known ? 304 : 200, headers).end(known ? undefined : 'content');
      },
    }).start();
    const facts = new MemoryFacts();
    const identity = await source(`${server.base}/f`, { facts }).identity();
    const again = source(`${server.base}/f`, { facts });
    expect(await again.identity()).toBe(identity);
    expect(Object.keys(server.seen[1]?.headers ?? {}).filter((name) => name.startsWith('if-'))).toEqual(
      asked === undefined ? [] : [asked],
    );
    expect(readFileSync(join(await again.open(), 'f'), 'utf8')).toBe('content');
    expect(server.seen.length).toBe(asked === undefined ? 2 : 3);
  });

  it('and changed has another identity', async () => {
    let content = 'one';
    await using server = await new Web({
      '/f': (_, response) => response.writeHead(200, { etag: `"${content}"` }).end(content),
    }).start();
    const facts = new MemoryFacts();
    const first = await source(`${server.base}/f`, { facts }).identity();
    content = 'two';
    expect(await source(`${server.base}/f`, { facts }).identity()).not.toBe(first);
  });

  it('is refused where the server gives other bytes than it said', async () => {
    let content = 'one';
    await using server = await new Web({
      '/f': (request, response) => {
        if (request.headers['if-none-match'] !== undefined) response.writeHead(304).end();
        else response.writeHead(200, { etag: '"1"' }).end(content);
      },
    }).start();
    const facts = new MemoryFacts();
    await source(`${server.base}/f`, { facts }).identity();
    content = 'two';
    await expect(source(`${server.base}/f`, { facts }).open()).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
  });

  it('nothing of its address is kept but a digest', async () => {
    await using server = await new Web({
      '/f': (_, response) => response.writeHead(200, { etag: '"1"' }).end(),
    }).start();
    const facts = new MemoryFacts();
    await source(`${server.base}/f?token=s3cret`, { facts }).identity();
    expect(JSON.stringify([...facts.values])).not.toContain('s3cret');
  });
});

describe('what lets a download in', () => {
  const withSecret = (id: string, value: string): RemoteAccess => ({
    ...noAccess,
    secret: (wanted) => Promise.resolve(wanted === id ? Buffer.from(value) : undefined),
  });
  const ways: readonly (readonly [access: RemoteAccess, sent: string])[] = [
    [withSecret('HTTP_AUTH_TOKEN_127.0.0.1', 's3cret\n'), 'Bearer s3cret'],
    [withSecret('HTTP_AUTH_HEADER_127.0.0.1', 'Basic abc'), 'Basic abc'],
  ];
  it.each(ways)('secrets by the name of the host (%#)', async (access, sent) => {
    const file = source(`${web.base}/private`, { access });
    expect(readFileSync(join(await file.open(), 'private'), 'utf8')).toBe('private');
    expect(web.seen.at(-1)?.headers.authorization).toBe(sent);
  });

  it('user info of the URL', async () => {
    await source(`${web.base.replace('//', '//me:p%40ss@')}/private`).open();
    expect(web.seen.at(-1)?.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  });

  it('is missing: the error says which secret it would be', async () => {
    const failing = source(`${web.base}/private`, { access: withSecret('HTTP_AUTH_TOKEN_other', 'x') }).open();
    await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining('id=HTTP_AUTH_TOKEN_127.0.0.1') });
  });

  it('does not go to another origin', async () => {
    await using other = await new Web({}).start();
    await using first = await new Web({
      '/f': (_, response) => response.writeHead(302, { location: `${other.base}/f` }).end(),
    }).start();
    await source(`${first.base}/f`, { access: withSecret('HTTP_AUTH_TOKEN_127.0.0.1', 's3cret') }).open();
    expect(first.seen[0]?.headers.authorization).toBe('Bearer s3cret');
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
  });
});
