import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { collect, copyGraph, type Descriptor, digestOf } from '../../src/oci/index.ts';
import { Configuration } from '../../src/registry/config/configuration.ts';
import { Registries, type RegistrySettings } from '../../src/registry/index.ts';
import { MemoryTarget } from '../../src/transports/index.ts';
import { embeddedRegistry, type EmbeddedRegistry } from './embedded.ts';
import { pushImage } from './made-images.ts';
import { reply, type Script, scriptedServer, type ScriptedServer, type Seen } from './scripted-server.ts';

/** A registry that anybody may look over the shoulder of: it passes everything on, except what `answer` deals with. */
interface Watched {
  readonly host: string;
  readonly seen: readonly Seen[];
}

let root: string;
let warnings: string[];
const opened: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-mirrors-'));
  warnings = [];
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  await rm(root, { recursive: true, force: true });
});

async function put(path: string, text: string): Promise<void> {
  const whole = join(root, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
}

function registries(settings: RegistrySettings = {}): Registries {
  const environment = { variables: {}, home: join(root, 'home'), etc: join(root, 'etc') };
  const all = { attempts: 1, mirrorTimeout: 300, ...settings };
  const made = new Registries(all, {
    configuration: new Configuration(all, environment),
    warn: (message) => warnings.push(message),
  });
  opened.push({ close: () => made[Symbol.asyncDispose]() });
  return made;
}

async function own(): Promise<EmbeddedRegistry> {
  const made = await embeddedRegistry();
  opened.push(made);
  return made;
}

async function scripted(script: Script): Promise<ScriptedServer> {
  const made = await scriptedServer(script);
  opened.push(made);
  return made;
}

/** Stands before a registry; `answer` is true where it dealt with the request itself. */
async function watched(
  registry: EmbeddedRegistry,
  answer: (seen: Seen, response: Parameters<Script>[1]) => boolean = () => false,
): Promise<Watched> {
  return scripted(async (seen, response) => {
    if (answer(seen, response)) return;
    const headers = Object.fromEntries(
      Object.entries(seen.headers).filter(
        ([name, value]) =>
          typeof value === 'string' && !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name),
      ),
    ) as Record<string, string>;
    const body = seen.body.length > 0 ? { body: new Uint8Array(seen.body) } : {};
    const passed = await fetch(`${registry.url}${seen.url}`, { method: seen.method, headers, ...body });
    const bytes = Buffer.from(await passed.arrayBuffer());
    const length = seen.method === 'HEAD' ? Number(passed.headers.get('content-length') ?? 0) : bytes.length;
    const given = Object.fromEntries(
      [...passed.headers].filter(
        ([name]) => !['connection', 'content-length', 'keep-alive', 'transfer-encoding'].includes(name),
      ),
    );
    response.writeHead(passed.status, { ...given, 'content-length': length });
    response.end(seen.method === 'HEAD' ? undefined : bytes);
  });
}

const paths = ({ seen }: Watched): string[] =>
  seen.map(({ method, url }) => `${method} ${url.replace(/sha256:[0-9a-f]+/, 'D')}`);
const conf = (upstream: string, mirrors: string[], more = ''): Promise<void> =>
  put(
    'etc/containers/registries.conf',
    `[[registry]]\nlocation = "${upstream}"\n${more}${mirrors.map((mirror) => `[[registry.mirror]]\nlocation = ${mirror}\n`).join('')}`,
  );

/** The same image in several registries, under the same name. */
async function inAll(...places: EmbeddedRegistry[]): Promise<Descriptor> {
  let image: Descriptor | undefined;
  for (const { host } of places) image = await pushImage(await plain().open(`${host}/team/app`, 'push'), 'v1');
  if (image === undefined) throw new Error('no registries');
  return image;
}
const plain = (): Registries => {
  const made = new Registries(
    { credential: 'anonymous' },
    { configuration: new Configuration({}, { variables: {}, home: '/none', etc: '/none' }) },
  );
  opened.push({ close: () => made[Symbol.asyncDispose]() });
  return made;
};

/** Reads an image whole. */
async function pull(through: Registries, name: string, reference = 'v1'): Promise<Descriptor> {
  const target = await through.open(name);
  const found = await target.resolve(reference);
  await copyGraph(target, new MemoryTarget(), found);
  return found;
}

describe('mirrors of registries.conf', () => {
  it('give everything, and the registry itself is not asked; labels stay those of the registry', async () => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const [upstream, mirror] = [await watched(a), await watched(b)];
    await conf(upstream.host, [`"${mirror.host}"`]);
    const through = registries();
    expect(await pull(through, `${upstream.host}/team/app`)).toEqual(image);
    expect(paths(upstream)).toEqual([]);
    expect(paths(mirror)[0]).toBe('GET /v2/');
    expect((await through.open(`${upstream.host}/team/app`)).label).toBe(`${upstream.host}/team/app`);
    expect(warnings).toEqual([]);
  });

  it('for digests only give content, and tags are asked of the registry', async () => {
    const [a, b] = [await own(), await own()];
    await inAll(a, b);
    const [upstream, mirror] = [await watched(a), await watched(b)];
    await conf(upstream.host, [`"${mirror.host}"\npull-from-mirror = "digest-only"`]);
    await pull(registries(), `${upstream.host}/team/app`);
    expect(paths(upstream)).toEqual(['HEAD /v2/team/app/manifests/v1']);
    expect(paths(mirror).some((path) => path.includes('/v1'))).toBe(false);
  });

  it('for tags only give what they were asked for by tag, and no digests that nobody asked a tag for', async () => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const [upstream, mirror] = [await watched(a), await watched(b)];
    await conf(upstream.host, [`"${mirror.host}"\npull-from-mirror = "tag-only"`]);
    await pull(registries(), `${upstream.host}/team/app`, image.digest);
    expect(paths(mirror)).toEqual([]);
    const before = upstream.seen.length;
    await pull(registries(), `${upstream.host}/team/app`);
    expect(upstream.seen.length).toBe(before);
  });

  it('have the location in the place of the prefix', async () => {
    const [a, b] = [await own(), await own()];
    await inAll(a);
    await pushImage(await plain().open(`${b.host}/cache/hub/app`, 'push'), 'v1');
    const [upstream, mirror] = [await watched(a), await watched(b)];
    await put(
      'etc/containers/registries.conf',
      `[[registry]]\nprefix = "named.test/team"\nlocation = "${upstream.host}/team"\n[[registry.mirror]]\nlocation = "${mirror.host}/cache/hub"`,
    );
    await pull(registries(), 'named.test/team/app');
    expect(paths(mirror)).toContain('HEAD /v2/cache/hub/app/manifests/v1');
    expect(paths(upstream)).toEqual([]);
    const relocated = await registries().open('named.test/team/app', 'push');
    expect((await relocated.resolve('v1')).size).toBeGreaterThan(0);
    expect(paths(upstream)).toEqual(['HEAD /v2/team/app/manifests/v1']);
    expect(relocated.label).toBe('named.test/team/app');
  });

  it('that lack something are passed over for that', async () => {
    const [a, b, c] = [await own(), await own(), await own()];
    const image = await inAll(a, c);
    const [upstream, empty, full] = [await watched(a), await watched(b), await watched(c)];
    await conf(upstream.host, [`"${empty.host}"`, `"${full.host}"`]);
    expect(await pull(registries(), `${upstream.host}/team/app`)).toEqual(image);
    expect(paths(upstream)).toEqual([]);
    expect(paths(empty).length).toBe(paths(full).length);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['refuse', 401, /is not used for team\/app: status 401/],
    ['are too busy', 429, /is passed over for a while: status 429/],
    ['are broken', 503, /is passed over for a while: status 503/],
  ])('that %s are passed over (%s)', async (_name, status, warning) => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const upstream = await watched(a);
    const mirror = await watched(b, ({ url }, response) => {
      if (url === '/v2/') return false;
      reply(response, status, { 'retry-after': '100' });
      return true;
    });
    await conf(upstream.host, [`"${mirror.host}"`]);
    expect(await pull(registries(), `${upstream.host}/team/app`)).toEqual(image);
    // not once for each of manifest, config and layers
    expect(new Set(paths(mirror))).toEqual(new Set(['GET /v2/', 'HEAD /v2/team/app/manifests/v1']));
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it('that give wrong bytes are believed in nothing: manifests and layers come from elsewhere', async () => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const upstream = await watched(a);
    const mirror = await watched(b, ({ method, url }, response) => {
      if (method !== 'GET' || !/\/(?:manifests|blobs)\/sha256:/.test(url)) return false;
      reply(response, 200, { 'content-type': 'application/octet-stream' }, 'owned');
      return true;
    });
    await conf(upstream.host, [`"${mirror.host}"`]);
    expect(await pull(registries(), `${upstream.host}/team/app`)).toEqual(image);
    expect(paths(upstream)).toContain('GET /v2/team/app/manifests/D');
    expect(new Set(upstream.seen.filter(({ url }) => url.includes('/blobs/')).map(({ url }) => url)).size).toBe(3);
    expect(warnings.join('\n')).toMatch(/gave something else for sha256:/);
  });

  it('that give bytes of the right length but not the right ones are not asked for those again', async () => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const upstream = await watched(a);
    const mirror = await watched(b, ({ method, url }, response) => {
      if (method !== 'GET' || !/\/blobs\/sha256:/.test(url)) return false;
      reply(
        response,
        200,
        { 'content-type': 'application/octet-stream' },
        url.endsWith(digestOf(Buffer.from('one'))) ? 'eno' : 'owt',
      );
      return !url.endsWith('config');
    });
    await conf(upstream.host, [`"${mirror.host}"`]);
    expect(await pull(registries(), `${upstream.host}/team/app`)).toEqual(image);
  });

  it.each([
    ['a part where the whole was asked for', 206, { 'content-range': 'bytes 0-2/3' }],
    ['an encoding that nobody knows', 200, { 'content-encoding': 'rot13' }],
  ])('that answer with %s are passed over for that', async (_, status, headers) => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const mirror = await watched(b, ({ url }, response) => {
      if (!url.includes('/blobs/')) return false;
      reply(response, status, headers, 'ab');
      return true;
    });
    const upstream = await watched(a);
    await conf(upstream.host, [`"${mirror.host}"`]);
    expect(await pull(registries(), `${upstream.host}/team/app`)).toEqual(image);
  });

  it('that lie about the size of a digest are not believed', async () => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const mirror = await watched(b, ({ method, url }, response) => {
      if (method !== 'HEAD' || !url.includes('/manifests/sha256:')) return false;
      const headers = { 'content-type': image.mediaType, 'docker-content-digest': image.digest, 'content-length': '7' };
      response.writeHead(200, headers).end();
      return true;
    });
    const upstream = await watched(a);
    await conf(upstream.host, [`"${mirror.host}"`]);
    expect(await pull(registries(), `${upstream.host}/team/app`, image.digest)).toEqual(image);
  });

  it('that break off in the middle of a blob: the next goes on at that byte', async () => {
    const [a, b] = [await own(), await own()];
    const bytes = Buffer.alloc(300_000, 'abc');
    const blob = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
    for (const { host } of [a, b]) await (await plain().open(`${host}/team/app`, 'push')).push(blob, bytes);
    const upstream = await watched(a);
    const mirror = await watched(b, ({ method, url }, response) => {
      if (method !== 'GET' || !url.includes('/blobs/')) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    });
    await conf(upstream.host, [`"${mirror.host}"`]);
    const target = await registries().open(`${upstream.host}/team/app`);
    expect((await collect(await target.fetch(blob), blob)).equals(bytes)).toBe(true);
    expect(upstream.seen.map(({ headers }) => headers.range)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-/)]);
  });

  it('that lie are known to all who read the repository, also where whoever reads checks by itself', async () => {
    const [a, b] = [await own(), await own()];
    const bytes = Buffer.from('the truth');
    const blob = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
    await (await plain().open(`${a.host}/team/app`, 'push')).push(blob, bytes);
    const upstream = await watched(a);
    const mirror = await watched(b, ({ url }, response) => {
      if (!url.includes('/blobs/')) return false;
      reply(response, 200, {}, 'the faith');
      return true;
    });
    await conf(upstream.host, [`"${mirror.host}"`]);
    const through = registries();
    const read = async (): Promise<string> => {
      const target = await through.open(`${upstream.host}/team/app`);
      return (await collect(await target.fetch(blob, { unverified: true }), blob)).toString();
    };
    await expect(read()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await read()).toBe('the truth');
    expect(mirror.seen.filter(({ url }) => url.includes('/blobs/'))).toHaveLength(1);
  });

  it('that break off in pieces of a large blob: the whole comes all the same', async () => {
    const [a, b] = [await own(), await own()];
    const bytes = Buffer.alloc(20 * 1024 * 1024);
    for (let at = 0; at < bytes.length; at += 4096) bytes.writeUInt32LE(at, at);
    const blob = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
    for (const { host } of [a, b]) await (await plain().open(`${host}/team/app`, 'push')).push(blob, bytes);
    const upstream = await watched(a);
    let broken = 0;
    const breaking = await watched(b, ({ method, url, headers }, response) => {
      const range = /^bytes=(\d+)-(\d*)/.exec(headers.range as string);
      if (method !== 'GET' || !url.includes('/blobs/') || range === null || range[1] === '0') return false;
      broken += 1;
      const [start, end] = [Number(range[1]), range[2] === '' ? bytes.length - 1 : Number(range[2])];
      response.writeHead(206, {
        'content-length': end - start + 1,
        'content-range': `bytes ${start}-${end}/${bytes.length}`,
      });
      response.write(bytes.subarray(start, start + 1000), () => setTimeout(() => response.destroy(), 5));
      return true;
    });
    await conf(upstream.host, [`"${breaking.host}"`]);
    const target = await registries({ parallelFrom: 1024 * 1024 }).open(`${upstream.host}/team/app`);
    expect((await collect(await target.fetch(blob), blob)).equals(bytes)).toBe(true);
    expect(broken).toBeGreaterThan(0);
    expect(upstream.seen.length).toBeGreaterThan(0);
  });

  it('get credentials of their own and never those of the registry', async () => {
    const [a, b] = [await own(), await own()];
    await inAll(a, b);
    const wants = (seen: Seen, response: Parameters<Script>[1]): boolean => {
      if (seen.headers.authorization !== undefined) return false;
      reply(response, 401, { 'www-authenticate': 'Basic realm="x"' });
      return true;
    };
    const [upstream, mirror, poor] = [await watched(a, wants), await watched(b, wants), await watched(b, wants)];
    const basic = (text: string): string => Buffer.from(text).toString('base64');
    await put(
      'auth.json',
      JSON.stringify({
        auths: {
          [upstream.host]: { auth: basic('up:stream-secret') },
          [mirror.host]: { auth: basic('mi:rror-secret') },
        },
      }),
    );
    await conf(upstream.host, [`"${poor.host}"`, `"${mirror.host}"`]);
    await pull(registries({ authFile: join(root, 'auth.json') }), `${upstream.host}/team/app`);
    const sent = ({ seen }: Watched): string[] =>
      [...new Set(seen.flatMap(({ headers }) => headers.authorization ?? []))].map((value) =>
        Buffer.from(value.replace('Basic ', ''), 'base64').toString(),
      );
    expect(sent(mirror)).toEqual(['mi:rror-secret']);
    expect(sent(poor)).toEqual([]);
    // given outright: still the registry's alone
    const given = registries({
      credential: { kind: 'basic', username: 'up', password: 'stream-secret' },
      authFile: '/none',
    });
    await pull(given, `${upstream.host}/team/app`);
    expect(sent(mirror)).toEqual(['mi:rror-secret']);
    expect(sent(poor)).toEqual([]);
    expect(sent(upstream)).toEqual(['up:stream-secret']);
  });

  it('are not pushed to, nor asked by a push', async () => {
    const [a, b] = [await own(), await own()];
    const [upstream, mirror] = [await watched(a), await watched(b)];
    await conf(upstream.host, [`"${mirror.host}"`]);
    const target = await registries().open(`${upstream.host}/team/app`, 'push');
    const image = await pushImage(target, 'v2');
    expect(await target.exists(image)).toBe(true);
    expect(paths(mirror)).toEqual([]);
  });
});

describe('a dead mirror', () => {
  /** Takes connections and never says a word. */
  async function silent(): Promise<string> {
    const server: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    opened.push({ close: () => new Promise((resolve) => void server.close(() => resolve())) });
    server.on('connection', (socket) => opened.push({ close: async () => void socket.destroy() }));
    return `127.0.0.1:${address.port}`;
  }

  it('costs one short wait for all requests together, however many there are, and then nothing', async () => {
    const a = await own();
    const image = await inAll(a);
    const upstream = await watched(a);
    // 192.0.2.0/24 is nobody's (RFC 5737): packets to it vanish, or are refused at once
    const dead = [await silent(), await silent(), '192.0.2.1:5000', '127.0.0.1:1'];
    await conf(
      upstream.host,
      dead.map((host) => `"${host}"`),
    );
    const through = registries({ mirrorTimeout: 200 });
    const waits = jest.spyOn(AbortSignal, 'timeout');
    try {
      expect(await pull(through, `${upstream.host}/team/app`)).toEqual(image);
      expect(await pull(through, `${upstream.host}/team/app`)).toEqual(image);
      expect(waits.mock.calls).toEqual(dead.map(() => [200]));
    } finally {
      waits.mockRestore();
    }
    expect(warnings).toHaveLength(dead.length);
    expect(warnings.join('\n')).toContain('is passed over for a while: no answer within 0.2 s');
  });

  it('is asked again later, and nobody waits for that', async () => {
    const [a, b] = [await own(), await own()];
    await inAll(a, b);
    let dead = true;
    const upstream = await watched(a);
    const mirror = await watched(b, (_seen, response) => {
      if (!dead) return false;
      reply(response, 503);
      return true;
    });
    await conf(upstream.host, [`"${mirror.host}"`]);
    const through = registries();
    const now = Date.now;
    try {
      await pull(through, `${upstream.host}/team/app`);
      dead = false;
      await pull(through, `${upstream.host}/team/app`);
      expect(mirror.seen.length).toBe(1);
      Date.now = () => now() + 61_000;
      const before = upstream.seen.length;
      await pull(through, `${upstream.host}/team/app`);
      while (mirror.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(upstream.seen.length).toBeGreaterThan(before);
      const after = upstream.seen.length;
      await pull(through, `${upstream.host}/team/app`);
      expect(upstream.seen.length).toBe(after);
    } finally {
      Date.now = now;
    }
  });
});

describe('what is said elsewhere', () => {
  it('a blocked registry is refused, for pulls and pushes, with the file that says so', async () => {
    await put('etc/containers/registries.conf', '# mine\n[[registry]]\nlocation = "evil.test"\nblocked = true\n');
    for (const access of ['pull', 'push'] as const) {
      await expect(registries().open('evil.test/a', access)).rejects.toMatchObject({
        code: 'BLOCKED',
        message: `evil.test/a is blocked by ${join(root, 'etc/containers/registries.conf')}:2`,
      });
    }
  });

  it('a file that is wrong is an error at the first repository, with file and line', async () => {
    await put('etc/containers/registries.conf', '\n[[registry]\n');
    await expect(registries().open('any.test/a')).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining(`${join(root, 'etc/containers/registries.conf')}:2: is not TOML`),
    });
  });

  it('hosts.toml: mirrors by what they can, ns for those that are another host, headers, an API below a path', async () => {
    const [a, b] = [await own(), await own()];
    const image = await inAll(a, b);
    const upstream = await watched(a);
    const pulls = await scripted(async ({ method, url, headers }, response) => {
      if (url === '/proxy/v2/?' || url === '/proxy/') return reply(response, 200);
      if (headers['x-key'] !== 'yes') return reply(response, 403);
      const passed = await fetch(`${b.url}${url.replace('/proxy', '/v2')}`, {
        method,
        headers: { accept: headers.accept as string },
      });
      reply(
        response,
        passed.status,
        { 'content-type': passed.headers.get('content-type') ?? '' },
        Buffer.from(await passed.arrayBuffer()),
      );
    });
    await put(
      `etc/containerd/certs.d/${upstream.host.replace(/:(\d+)$/, '_$1_')}/hosts.toml`,
      `server = "http://${upstream.host}"\n[host."http://${pulls.host}/proxy"]\ncapabilities = ["pull"]\noverride_path = true\n[host."http://${pulls.host}/proxy".header]\nX-Key = "yes"\n`,
    );
    expect(await pull(registries(), `${upstream.host}/team/app`)).toEqual(image);
    expect(paths(upstream)).toEqual(['HEAD /v2/team/app/manifests/v1']);
    const asked = pulls.seen.filter(({ url }) => url !== '/proxy/').map(({ url }) => new URL(url, 'http://x'));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.every(({ pathname }) => pathname.startsWith('/proxy/team/app/'))).toBe(true);
    expect(new Set(asked.map(({ searchParams }) => searchParams.get('ns')))).toEqual(new Set([upstream.host]));
  });

  it('hosts.toml: a server takes the place of the registry, and _default is for all; a host that may push is pushed to', async () => {
    const [a, b] = [await own(), await own()];
    const [server, pushed] = [await watched(a), await watched(b)];
    await put(
      'etc/containerd/certs.d/_default/hosts.toml',
      `server = "http://${server.host}"\n[host."http://${pushed.host}"]\ncapabilities = ["push"]\n`,
    );
    await pushImage(await registries().open('any.test/team/app', 'push'), 'v1');
    expect(paths(server)).toEqual([]);
    expect(pushed.seen.length).toBeGreaterThan(0);
    const reading = await registries().open('any.test/team/app');
    await expect(reading.resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(paths(server)).toEqual(['HEAD /v2/team/app/manifests/v1?ns=any.test']);
  });

  it('daemon.json: mirrors of the Hub only, below their path', async () => {
    const [b, other] = [await own(), await own()];
    await pushImage(await plain().open(`${b.host}/library/debian`, 'push'), '12');
    await pushImage(await plain().open(`${other.host}/library/debian`, 'push'), '12');
    const mirror = await watched(b);
    await put('etc/docker/daemon.json', JSON.stringify({ 'registry-mirrors': [`http://${mirror.host}/`] }));
    await pull(registries({ credential: 'anonymous' }), 'debian', '12');
    expect(mirror.seen.length).toBeGreaterThan(1);
    const before = mirror.seen.length;
    await pull(registries(), `${other.host}/library/debian`, '12');
    expect(mirror.seen.length).toBe(before);
  });

  it.each([
    ['the settings', 'settings'],
    ['registries.conf', 'conf'],
    ['hosts.toml', 'hosts'],
    ['daemon.json', 'daemon'],
  ])('mirrors come from the first that names any: %s', async (_name, first) => {
    const order = ['settings', 'conf', 'hosts', 'daemon'];
    const present = order.slice(order.indexOf(first));
    const mirrors = new Map<string, ScriptedServer>();
    for (const name of present) mirrors.set(name, await scripted((_seen, response) => reply(response, 404)));
    const host = (name: string): string => mirrors.get(name)?.host ?? '';
    if (present.includes('conf')) await conf('docker.io', [`"${host('conf')}"`]);
    if (present.includes('hosts'))
      await put('etc/containerd/certs.d/docker.io/hosts.toml', `[host."http://${host('hosts')}"]`);
    if (present.includes('daemon'))
      await put('etc/docker/daemon.json', JSON.stringify({ 'registry-mirrors': [`http://${host('daemon')}`] }));
    const settings = present.includes('settings') ? { mirrors: [`docker.io=http://${host('settings')}/cache`] } : {};
    const hub = await scripted((_seen, response) => reply(response, 404));
    const through = registries({
      ...settings,
      scheme: 'http',
      credential: 'anonymous',
      resolve: [`registry-1.docker.io:80:127.0.0.1:${hub.host.split(':')[1]}`],
    });
    await expect((await through.open('debian')).resolve('12')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(present.filter((name) => (mirrors.get(name)?.seen.length ?? 0) > 0)).toEqual([first]);
    expect(hub.seen.length).toBe(1);
  });
});

describe('mounts', () => {
  it('go by where repositories stand, not by what they are called', async () => {
    const a = await own();
    const upstream = await watched(a);
    await put(
      'etc/containers/registries.conf',
      `[[registry]]\nprefix = "named.test/x"\nlocation = "${upstream.host}/moved/x"\n[[registry]]\nprefix = "named.test/y"\nlocation = "${upstream.host}/moved/y"`,
    );
    const through = registries();
    const image = await pushImage(await through.open('named.test/x/app', 'push'), 'v1');
    await copyGraph(await through.open('named.test/x/app'), await through.open('named.test/y/app', 'push'), image);
    const mounts = upstream.seen.filter(({ url }) => url.includes('mount='));
    expect(mounts.length).toBeGreaterThan(0);
    expect(mounts.every(({ url }) => url.includes('from=moved%2Fx%2Fapp'))).toBe(true);
  });
});
