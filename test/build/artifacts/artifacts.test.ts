import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  artifactTree,
  type ArtifactTree,
  attachArtifact,
  copyImage,
  listReferrers,
  type PlaceOptions,
  pullArtifact,
  pushArtifact,
} from '../../../src/build/index.ts';
import {
  describe as describeContent,
  digestOf,
  fetchBytes,
  hexOf,
  type Manifest,
  mediaTypes,
  parseManifest,
  serializeManifest,
} from '../../../src/oci/index.ts';
import { openRepository, openSession, Registries } from '../../../src/registry/index.ts';
import { safePath } from '../../../src/build/artifacts/pull.ts';
import { describeWithNewer, newerPeer } from '../../newer-peers.ts';
import { debianRegistry, type DebianRegistry, hasDebianRegistry } from '../../registry/debian-registry.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushDocument, pushRealImage, pushRealIndex } from '../edit/images.ts';

const run = promisify(execFile);
let registry: EmbeddedRegistry;
let folder: string;
let out: string;
const registries = new Registries();
const session = openSession();
const places: PlaceOptions = {
  open: async (name, access) => registries.open(name, access),
  openStore: () => Promise.reject(new Error('the store is opened')),
};
const at = (name: string): string => `${registry.host}/${name}`;
const target = (name: string) => openRepository(at(name), { session, credential: 'anonymous', access: 'push' });
const pull = (text: string, options: Partial<Parameters<typeof pullArtifact>[1]> = {}) =>
  pullArtifact(text, { ...places, output: out, ...options });

beforeAll(async () => {
  registry = await embeddedRegistry();
  folder = await mkdtemp(join(tmpdir(), 'slipway-artifacts-'));
  await writeFile(join(folder, 'a.txt'), 'first');
  await writeFile(join(folder, 'b.json'), '{}');
});
beforeEach(async () => {
  out = await mkdtemp(join(folder, 'out-'));
});
afterAll(async () => {
  await registries[Symbol.asyncDispose]();
  await session.close();
  await registry.close();
  await rm(folder, { recursive: true });
});

const files = () => [{ path: join(folder, 'a.txt'), mediaType: 'text/plain' }, { path: join(folder, 'b.json') }];
const sbom = 'application/vnd.example.sbom';

describe('an artifact', () => {
  it('is files with names and types, the same each time, and comes back as them', async () => {
    const content = { files: files(), artifactType: sbom, annotations: { note: 'x' } };
    const { descriptor, name } = await pushArtifact(at('files:v1'), content, places);
    expect(name).toBe(`${at('files')}@${descriptor.digest}`);
    const layout = await pushArtifact(`oci:${folder}/layout:v1`, content, places);
    expect(layout.descriptor).toEqual(descriptor);
    const from = target('files');
    expect(parseManifest(await fetchBytes(from, await from.resolve('v1')))).toMatchObject({
      artifactType: sbom,
      annotations: { note: 'x' },
      config: { mediaType: mediaTypes.ociEmpty, size: 2 },
      layers: [
        { mediaType: 'text/plain', annotations: { 'org.opencontainers.image.title': 'a.txt' } },
        { mediaType: 'application/octet-stream', digest: digestOf('{}') },
      ],
    });
    for (const place of [at('files:v1'), `oci:${folder}/layout:v1`]) {
      const pulled = await pull(place);
      expect([pulled.artifactType, pulled.files.map(({ path }) => path)]).toEqual([sbom, ['a.txt', 'b.json']]);
      expect(await readFile(join(out, 'a.txt'), 'utf8')).toBe('first');
    }
    await expect(pull(at('files:v1'), { keepFiles: true })).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
  });

  it('without a file has the empty layer, without a tag is found by its digest alone, and a config is one', async () => {
    const bare = await pushArtifact(at('bare'), { files: [], artifactType: sbom }, places);
    expect(await target('bare').listTags()).toEqual([]);
    expect((await pull(`${at('bare')}@${bare.descriptor.digest}`)).files).toEqual([]);
    const config = { path: join(folder, 'b.json'), mediaType: 'application/vnd.example.config' };
    const { descriptor } = await pushArtifact(at('bare'), { files: files(), config }, places);
    const manifest = parseManifest(await fetchBytes(target('bare'), descriptor));
    expect([manifest.artifactType, manifest.config.mediaType]).toEqual([undefined, 'application/vnd.example.config']);
  });

  it('is not made of folders, or of two files of one name', async () => {
    await expect(pushArtifact(at('x:1'), { files: [{ path: folder }] }, places)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
    const [first = { path: '' }] = files();
    await expect(pushArtifact(at('x:1'), { files: [first, first] }, places)).rejects.toMatchObject({ exitCode: 125 });
  });
});

describe('names of files come from elsewhere', () => {
  async function artifact(...titles: readonly string[]): Promise<string> {
    const blob = Buffer.from('evil');
    const memory = target('evil');
    const empty = describeContent(mediaTypes.ociEmpty, Buffer.from('{}'));
    await memory.push(empty, Buffer.from('{}'));
    await memory.push(describeContent('text/plain', blob), blob);
    const manifest: Manifest = {
      kind: 'manifest',
      mediaType: mediaTypes.ociManifest,
      artifactType: sbom,
      config: empty,
      layers: titles.map((title) => ({
        ...describeContent('text/plain', blob),
        annotations: { 'org.opencontainers.image.title': title },
      })),
    };
    return `${at('evil')}@${(await pushDocument(memory, mediaTypes.ociManifest, serializeManifest(manifest))).digest}`;
  }

  it.each(['../up', 'a/../../up', '/etc/absolute', '', '.', '..', 'a/..', 'a\0b', 'a\\..\\b'])(
    '%j is refused, and nothing is written',
    async (title) => {
      await expect(pull(await artifact('fine', title))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
      expect(await readdir(out)).toEqual([]);
    },
  );

  it('a path keeps its folders', async () => {
    expect(safePath('a//./b/c')).toBe('a/b/c');
    await pull(await artifact('a/b/c'));
    expect(await readFile(join(out, 'a/b/c'), 'utf8')).toBe('evil');
  });

  it('a link in the folder leads nowhere: as a folder it stays within, as a file it is replaced', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'kept'), 'kept');
    await symlink(outside, join(out, 'link'));
    await symlink(join(outside, 'kept'), join(out, 'file'));
    await pull(await artifact('link/kept')).catch(() => undefined);
    await pull(await artifact('file'));
    expect(await readFile(join(outside, 'kept'), 'utf8')).toBe('kept');
    expect(await readdir(outside)).toEqual(['kept']);
    expect((await lstat(join(out, 'file'))).isFile()).toBe(true);
  });

  it('two files of one name are refused, and content that is not what the manifest says leaves none', async () => {
    await expect(pull(await artifact('a', './a'))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    const layout = join(folder, 'damaged');
    await pushArtifact(`oci:${layout}:v1`, { files: files() }, places);
    await writeFile(join(layout, 'blobs/sha256', hexOf(digestOf('first'))), 'FIRST');
    await expect(pull(`oci:${layout}:v1`)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await readdir(out)).toEqual([]);
  });
});

/** A tree in short. */
function shape({ artifactType, platform, manifests, referrers }: ArtifactTree): unknown {
  return [platform ?? artifactType, ...[...manifests, ...referrers].map(shape)];
}

describe('what refers to an image', () => {
  const attach = (to: string, type: string, options: object = {}) =>
    attachArtifact(to, { files: files().slice(0, 1), artifactType: type }, { ...places, ...options });

  it('is listed, by type too, pulled through the image, and shown as a tree', async () => {
    const repository = target('app');
    await pushRealIndex(repository, 'v1', { amd64: {}, arm64: {} });
    const arm = { os: 'linux', architecture: 'arm64' };
    const made = await attach(at('app:v1'), sbom, { platform: arm });
    await attach(at('app:v1'), 'application/vnd.example.other', { platform: arm });
    await attach(`${at('app')}@${made.descriptor.digest}`, 'application/vnd.example.signature');
    expect(await repository.listTags()).toEqual(['v1']);

    const { referrers } = await listReferrers(at('app:v1'), { ...places, platform: arm });
    expect(new Set(referrers.map(({ artifactType }) => artifactType))).toEqual(
      new Set(['application/vnd.example.other', sbom]),
    );
    const some = await listReferrers(at('app:v1'), { ...places, platform: arm, artifactType: sbom });
    expect(some.referrers.map(({ digest }) => digest)).toEqual([made.descriptor.digest]);
    expect((await listReferrers(at('app:v1'), places)).referrers).toEqual([]);

    expect(shape(await artifactTree(at('app:v1'), { ...places, artifactType: sbom }))).toEqual([
      undefined,
      ['linux/amd64'],
      ['linux/arm64', [sbom]],
    ]);
    expect((await artifactTree(at('app:v1'), places)).manifests[1]?.referrers).toHaveLength(2);
    const pulled = await pull(at('app:v1'), { platform: arm, artifactType: sbom });
    expect(pulled.descriptor.digest).toBe(made.descriptor.digest);
    await expect(pull(at('app:v1'), { platform: arm, artifactType: 'none/none' })).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
    });
  });

  it('is attached in layouts, and not in archives', async () => {
    const layout = `oci:${folder}/attached:v1`;
    await pushRealImage(target('one'), 'v1');
    await copyImage(at('one:v1'), layout, { ...places, referrers: false });
    await attach(layout, sbom);
    expect((await listReferrers(layout, places)).referrers).toHaveLength(1);
    await copyImage(at('one:v1'), `oci-archive:${folder}/one.tar:v1`, { ...places, referrers: false });
    await expect(attach(`oci-archive:${folder}/one.tar:v1`, sbom)).rejects.toMatchObject({ exitCode: 125 });
  });

  (hasDebianRegistry ? it : it.skip)('is found by the tag where a registry has no referrers API', async () => {
    const old: DebianRegistry = await debianRegistry();
    const name = `${old.host}/old/app`;
    const repository = openRepository(name, { session, credential: 'anonymous', access: 'push' });
    const { digest } = await pushRealImage(repository, 'v1');
    const made = await attach(`${name}:v1`, sbom);
    expect(await repository.listTags()).toContain(digest.replace(':', '-'));
    expect((await listReferrers(`${name}:v1`, places)).referrers.map((each) => each.digest)).toEqual([
      made.descriptor.digest,
    ]);
    expect(shape(await artifactTree(`${name}:v1`, places))).toEqual([undefined, [sbom]]);
    await old.close();
  });
});

describeWithNewer(['oras'], 'oras', () => {
  const oras = async (...args: string[]) =>
    (await run(newerPeer('oras'), args, { cwd: out, env: { HOME: folder } })).stdout;

  it('pulls what we push, and we what it pushes', async () => {
    await pushArtifact(at('oras:ours'), { files: files(), artifactType: sbom }, places);
    await oras('pull', '--plain-http', at('oras:ours'));
    expect(await readFile(join(out, 'a.txt'), 'utf8')).toBe('first');
    await writeFile(join(out, 'theirs.txt'), 'theirs');
    await oras('push', '--plain-http', '--artifact-type', sbom, at('oras:theirs'), 'theirs.txt:text/plain');
    await rm(join(out, 'theirs.txt'));
    expect(await pull(at('oras:theirs'))).toMatchObject({ artifactType: sbom, files: [{ path: 'theirs.txt' }] });
    expect(await readFile(join(out, 'theirs.txt'), 'utf8')).toBe('theirs');
  });

  it('sees what we attach, and we what it attaches', async () => {
    await pushRealImage(target('seen'), 'v1');
    const ours = await attachArtifact(at('seen:v1'), { files: files(), artifactType: sbom }, places);
    await writeFile(join(out, 'note.txt'), 'note');
    await oras('attach', '--plain-http', '--artifact-type', 'application/vnd.example.note', at('seen:v1'), 'note.txt');
    expect(await oras('discover', '--plain-http', '-o', 'json', at('seen:v1'))).toContain(ours.descriptor.digest);
    const { referrers } = await listReferrers(at('seen:v1'), places);
    expect(new Set(referrers.map(({ artifactType }) => artifactType))).toEqual(
      new Set(['application/vnd.example.note', sbom]),
    );
  });
});
