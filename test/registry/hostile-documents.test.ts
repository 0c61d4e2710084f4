import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describe as describeContent,
  type Descriptor,
  digestOf,
  hostPlatform,
  mediaTypes,
  restrictPlatforms,
} from '../../src/oci/index.ts';
import { copyImage } from '../../src/build/index.ts';
import { Registries } from '../../src/registry/index.ts';
import { reply, scriptedServer, type ScriptedServer } from './scripted-server.ts';

// A registry that means harm: nothing of these is taken, whatever asks for it, and nothing is left at the destination.

const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
const layer = Buffer.from('layer');
const json = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));
const { ociManifest, ociIndex } = mediaTypes;
const asJson = ({ mediaType, digest, size }: Descriptor) => ({ mediaType, digest, size });
const good = {
  schemaVersion: 2,
  mediaType: ociManifest,
  config: asJson(describeContent(mediaTypes.ociConfig, config)),
  layers: [asJson(describeContent(mediaTypes.ociLayer, layer))],
};
const manifest = json(good);
const entry = asJson(describeContent(ociManifest, manifest));
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [entry] };

interface Served {
  /** Part of the words by which it is refused. */
  readonly why?: string;
  readonly type?: string;
  readonly content: Buffer;
  /** In place of what the content has. */
  readonly says?: { readonly digest?: string; readonly length?: number };
  /** Further documents and blobs, by digest. */
  readonly others?: readonly Buffer[];
}

const schema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
const nested = (depth: number): Buffer[] => {
  const documents = [manifest];
  for (let level = 0; level < depth; level += 1) {
    const below = documents[0] ?? manifest;
    const { mediaType } = JSON.parse(below.toString()) as { mediaType: string };
    documents.unshift(json({ ...index, manifests: [asJson(describeContent(mediaType, below))] }));
  }
  return documents;
};

const cases: Readonly<Record<string, Served>> = {
  'layers and manifests in one (CVE-2021-41190)': {
    why: 'read in two ways',
    content: json({ ...good, manifests: [entry] }),
  },
  'layers and manifests, called an index': {
    why: 'read in two ways',
    type: ociIndex,
    content: json({ ...good, manifests: [entry] }),
  },
  'a manifest called an index': { why: 'was said to be', type: ociIndex, content: manifest },
  'an index called a manifest': { why: 'was said to be', type: ociManifest, content: json(index) },
  'no schemaVersion': { why: 'schemaVersion must be 2', content: json({ ...good, schemaVersion: undefined }) },
  'a schemaVersion of text': {
    why: 'schemaVersion must be an integer',
    content: json({ ...good, schemaVersion: '2' }),
  },
  'names in other letters': {
    why: 'must be spelt "layers"',
    content: json({ ...good, layers: undefined, Layers: good.layers }),
  },
  'an unknown type': {
    why: 'not an image manifest or index',
    content: json({ ...good, mediaType: 'application/vnd.evil+json' }),
    type: 'application/json',
  },
  'schema 1': {
    why: 'withdrawn in 2017',
    type: schema1,
    content: json({ schemaVersion: 1, fsLayers: [], history: [] }),
  },
  'schema 1 called text': {
    why: 'withdrawn in 2017',
    type: 'text/plain',
    content: json({ schemaVersion: 1, fsLayers: [] }),
  },
  HTML: { why: 'not valid JSON', type: 'text/html', content: Buffer.from('<html>log in</html>') },
  'half of a manifest': { why: 'not valid JSON', content: manifest.subarray(0, 100) },
  'more than 8 MiB': {
    why: '8388608 bytes',
    content: Buffer.concat([manifest.subarray(0, -1), Buffer.alloc(9 << 20, ' '), Buffer.from('}')]),
  },
  'a digest that is a path (CVE-2024-3727)': {
    why: 'is not a digest',
    content: json({ ...good, layers: [{ ...good.layers[0], digest: 'sha256:../../../etc/passwd' }] }),
  },
  'data that is not what its digest says': {
    why: 'not what the digest says',
    content: json({ ...good, config: { ...good.config, data: Buffer.from(config).fill(32).toString('base64') } }),
  },
  '1001 platforms': {
    why: 'the limit is 1000',
    type: ociIndex,
    content: json({ ...index, manifests: Array(1001).fill(entry) }),
  },
  'indexes four deep': {
    why: 'nested more than 3 deep',
    type: ociIndex,
    content: nested(4)[0] ?? manifest,
    others: nested(4),
  },
  'an entry of another type than its document': {
    why: 'was said to be',
    type: ociIndex,
    content: json({ ...index, manifests: [{ ...entry, mediaType: ociIndex }] }),
  },
  'an entry of another size': {
    why: 'more than the 7 bytes',
    type: ociIndex,
    content: json({ ...index, manifests: [{ ...entry, size: 7 }] }),
  },
  'an entry that is not there': {
    why: 'does not have it',
    type: ociIndex,
    content: json({ ...index, manifests: [{ ...entry, digest: digestOf('nothing') }] }),
  },
  'a layer that is longer': {
    why: 'more than the 3 bytes',
    content: json({ ...good, layers: [{ ...good.layers[0], size: 3 }] }),
  },
  'a layer that is shorter': {
    why: 'not the 50 bytes',
    content: json({ ...good, layers: [{ ...good.layers[0], size: 50 }] }),
  },
};

describe('a registry with hostile documents', () => {
  let server: ScriptedServer;
  let served: Served;
  let folder: string;
  const registries = new Registries({ attempts: 1 });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-hostile-'));
    server = await scriptedServer(({ url }, response) => {
      const [, kind, reference = ''] = /^\/v2\/evil\/(\w+)\/([^?]+)/.exec(url) ?? [];
      const { content, type = ociManifest, says = {} } = served;
      const found = [content, manifest, config, layer, ...(served.others ?? [])].find(
        (each, at) => digestOf(each) === reference || (at === 0 && reference === 'v1'),
      );
      if (kind === undefined || found === undefined) return reply(response, 404);
      const isRoot = found === content;
      const headers = {
        'content-type': kind === 'blobs' ? 'application/octet-stream' : isRoot ? type : typeOf(found),
        'docker-content-digest': (isRoot ? says.digest : undefined) ?? digestOf(found),
      };
      return reply(response, 200, headers, found);
    });
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await server.close();
    await rm(folder, { recursive: true });
  });

  const typeOf = (content: Buffer): string =>
    (JSON.parse(content.toString()) as { mediaType?: string }).mediaType ?? 'application/octet-stream';
  const copy = (to: string) =>
    copyImage(`${server.host}/evil:v1`, to, {
      open: async (name, access) => registries.open(name, access),
      openStore: () => Promise.reject(new Error('no store')),
      referrers: false,
    });

  it('serves what is right, so that the others fail for their own reason', async () => {
    served = { content: manifest };
    const { descriptor } = await copy(`oci:${folder}/right:v1`);
    expect(descriptor.digest).toBe(digestOf(manifest));
    const documents = nested(3);
    served = { type: ociIndex, content: documents[0] ?? manifest, others: documents };
    await copy(`oci:${folder}/nested:v1`);
  });

  it.each(Object.entries(cases))('%s: is refused, and nothing of that name is left', async (name, what) => {
    served = what;
    const layout = join(folder, name.replace(/\W/g, '-'));
    const refused = { exitCode: 1, message: expect.stringContaining(what.why ?? name) };
    await expect(copy(`oci:${layout}:v1`)).rejects.toMatchObject(refused);
    await expect(copy(`oci-archive:${layout}.tar:v1`)).rejects.toMatchObject(refused);
    expect((await readdir(folder)).filter((file) => file.endsWith('.tar'))).toEqual([]);
    const left = await readdir(layout).catch(() => []);
    if (left.length > 0)
      await expect(
        copyImage(`oci:${layout}:v1`, `oci:${layout}-2`, {
          open: () => Promise.reject(new Error('no registry')),
          openStore: () => Promise.reject(new Error('no store')),
          referrers: false,
        }),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('a header that lies about the digest of a tag is not believed: what was sent counts', async () => {
    served = { content: manifest, says: { digest: digestOf('other') } };
    const { descriptor } = await copy(`oci:${folder}/lying:v1`);
    expect(descriptor.digest).toBe(digestOf(manifest));
  });

  it('schema 1 is told for what it is', async () => {
    for (const name of ['schema 1', 'schema 1 called text']) {
      served = cases[name] ?? { content: manifest };
      await expect(copy(`oci:${folder}/schema:v1`)).rejects.toMatchObject({
        message: expect.stringContaining('schema 1 manifest, a format withdrawn in 2017'),
        hint: expect.stringContaining('push the image again with a current tool'),
      });
    }
  });

  it('an index within an index is an image all the same', async () => {
    const documents = nested(2);
    const inner = { ...entry, platform: { os: hostPlatform().os, architecture: hostPlatform().architecture } };
    const middle = json({ ...index, manifests: [inner] });
    const outer = json({
      ...index,
      manifests: [{ ...asJson(describeContent(ociIndex, middle)), platform: inner.platform }],
    });
    served = { type: ociIndex, content: outer, others: [middle, ...documents] };
    const target = await registries.open(`${server.host}/evil`);
    const found = await restrictPlatforms(target, await target.resolve('v1'), [hostPlatform()], {});
    expect(found.digest).toBe(digestOf(manifest));
  });
});
