import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  copyGraph,
  describe as describeContent,
  type Descriptor,
  type Manifest,
  mediaTypes,
  serializeIndex,
  serializeManifest,
} from '../../../src/oci/index.ts';
import { openRepository, type RegistryOptions, type RegistrySession } from '../../../src/registry/index.ts';
import { MemoryTarget } from '../../../src/transports/index.ts';
import { embeddedRegistry, type EmbeddedRegistry, quickSession } from '../embedded.ts';
import { pushDocument, pushImage } from '../made-images.ts';
import { reply, type Script, type ScriptedServer, scriptedServer } from '../scripted-server.ts';
import { tokenLayer, tokenServer } from '../token-server.ts';

const credential = { kind: 'basic', username: 'me', password: 'p4ssw0rd-c4n4ry' } as const;

let session: RegistrySession;
const servers: { close(): Promise<void> }[] = [];
beforeAll(() => {
  session = quickSession();
});
afterAll(() => session.close());
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(script: Script): Promise<ScriptedServer> {
  const server = await scriptedServer(script);
  servers.push(server);
  return server;
}

async function registry(options: Parameters<typeof embeddedRegistry>[0] = {}): Promise<EmbeddedRegistry> {
  const server = await embeddedRegistry(options);
  servers.push(server);
  return server;
}

const open = (host: string, options: RegistryOptions = {}) =>
  openRepository(`${host}/a/b`, { session, credential: 'anonymous', ...options });
const nobodyAsked = (server: ScriptedServer): void => expect(server.seen).toEqual([]);

describe('a list that goes on', () => {
  const page =
    (link: string): Script =>
    (_, response) => {
      reply(response, 200, { link: `<${link}>; rel="next"`, 'content-type': 'application/json' }, '{"tags":["v1"]}');
    };

  it('at another origin is refused, and nothing is sent there', async () => {
    const evil = await serve((_, response) => reply(response, 200, {}, '{"tags":[]}'));
    const server = await serve((seen, response, request) =>
      seen.headers.authorization === undefined
        ? reply(response, 401, { 'www-authenticate': 'Basic realm="x"' })
        : page(`${evil.url}/v2/a/b/tags/list?last=v1`)(seen, response, request),
    );
    await expect(open(server.host, { credential }).listTags()).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
    nobodyAsked(evil);
  });

  it('where it began is refused', async () => {
    const server = await serve(page('/v2/a/b/tags/list?n=1000'));
    await expect(open(server.host).listTags()).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
    expect(server.seen.length).toBeLessThanOrEqual(2);
  });
});

describe('a manifest', () => {
  it('whose layer is at an address of its own does not send us there', async () => {
    const evil = await serve((_, response) => reply(response, 200, {}, 'x'));
    const server = await registry();
    const foreign: Descriptor = {
      ...describeContent('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', Buffer.from('x')),
      urls: [`${evil.url}/layer`],
    };
    const config = Buffer.from('{}');
    const manifest: Manifest = {
      kind: 'manifest',
      mediaType: mediaTypes.ociManifest,
      config: describeContent(mediaTypes.ociConfig, config),
      layers: [foreign],
    };
    const target = open(server.host, { credential: 'anonymous' });
    await target.push(manifest.config, config);
    const root = await pushDocument(target, manifest.mediaType, serializeManifest(manifest), 'v1').catch(
      () => undefined,
    );
    // a registry may refuse what it cannot check; then there is nothing to pull
    if (root !== undefined) await copyGraph(target, new MemoryTarget(), root);
    nobodyAsked(evil);
  });

  it('whose embedded data is not what its descriptor says is refused', async () => {
    const named = describeContent(mediaTypes.ociManifest, Buffer.from('{"schemaVersion":2,"x":1}'));
    const lying: Descriptor = { ...named, data: Buffer.from('{"schemaVersion":2,"x":2}') };
    const index = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [lying] });
    const server = await serve((_, response) => reply(response, 200, { 'content-type': mediaTypes.ociIndex }, index));
    const failure = open(server.host).resolve('v1', { reads: true });
    await expect(failure).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
    await expect(failure).rejects.toThrow('manifests[0].data is not what the digest says');
  });

  it('in an index in an index in an index in an index is too deep', async () => {
    const server = await registry();
    const target = open(server.host);
    let root = await pushImage(target);
    for (let depth = 0; depth < 5; depth += 1) {
      const index = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [root] });
      root = await pushDocument(target, mediaTypes.ociIndex, index);
    }
    await expect(copyGraph(target, new MemoryTarget(), root)).rejects.toThrow();
  });
});

it('22: a tag that moves between requests does not mix two images', async () => {
  const server = await registry();
  const target = open(server.host);
  const first = await pushImage(target, 'v1', { layers: ['first one', 'first two'] });
  const reader = open(server.host);
  const root = await reader.resolve('v1', { reads: true });
  const second = await pushImage(target, 'v1', { layers: ['second one', 'second two'] });
  expect((await target.resolve('v1')).digest).toBe(second.digest);
  const to = new MemoryTarget();
  await copyGraph(reader, to, root, { names: ['v1'] });
  expect((await to.resolve('v1')).digest).toBe(first.digest);
});

describe('tokens', () => {
  async function withTokens() {
    const issuer = await tokenServer({ users: { me: credential.password } });
    servers.push(issuer);
    const server = await registry({ layers: [tokenLayer(issuer)] });
    const target = openRepository(`${server.host}/a/b`, { session, credential, access: 'push' });
    return { issuer, server, target };
  }

  it('are renewed once for all requests that were refused together', async () => {
    const { issuer, target } = await withTokens();
    const root = await pushImage(target, 'v1', { layers: ['1', '2', '3', '4', '5', '6'] });
    const before = issuer.issued.length;
    issuer.revokeAll();
    await Promise.all(Array.from({ length: 8 }, () => target.exists(root)));
    expect(issuer.issued.length - before).toBe(1);
  });

  it('for a mount ask for both repositories', async () => {
    const { issuer, server, target } = await withTokens();
    await pushImage(target, 'v1', { layers: ['to mount'] });
    const layer = describeContent(mediaTypes.ociLayer, Buffer.from('to mount'));
    const other = openRepository(`${server.host}/a/c`, { session, credential, access: 'push' });
    expect(await other.mount(layer, target)).toBe(true);
    const scopes = issuer.seen.map(({ url }) => new URL(url, issuer.url).searchParams.getAll('scope'));
    expect(scopes).toContainEqual(['repository:a/c:pull,push', 'repository:a/b:pull']);
  });

  it('of a registry are not sent to the other origin that it redirects to and back', async () => {
    const { issuer, server } = await withTokens();
    const elsewhere = await serve((seen, response) => reply(response, 307, { location: `${server.url}${seen.url}` }));
    const front = await registry({
      layers: [
        tokenLayer(issuer),
        async ({ request, response, endpoint }, next) => {
          if (endpoint?.route !== 'blob') return next();
          reply(response, 307, { location: `${elsewhere.url}${request.url ?? ''}` });
        },
      ],
    });
    const target = openRepository(`${front.host}/a/b`, { session, credential });
    const missing = describeContent(mediaTypes.ociLayer, Buffer.from('x'));
    await target.exists(missing).catch(() => undefined);
    expect(elsewhere.seen.length).toBeGreaterThan(0);
    expect(elsewhere.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});
