import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copyImage, type ImageConversion, openPlace, type PlaceOptions } from '../../../src/build/index.ts';
import { openRepository, Registries } from '../../../src/registry/index.ts';
import { describeWithNewer, newerPeer } from '../../newer-peers.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushImage } from '../../registry/made-images.ts';
import { withoutReferrers } from '../../registry/without-referrers.ts';

const run = promisify(execFile);

describeWithNewer(['crane', 'oras'], 'crane and oras', () => {
  let modern: EmbeddedRegistry;
  let old: EmbeddedRegistry;
  let folder: string;
  const registries = new Registries();
  const places: PlaceOptions = {
    open: async (name, access) => registries.open(name, access),
    openStore: () => Promise.reject(new Error('the store is opened')),
  };
  const peer = async (name: 'crane' | 'oras', ...args: readonly string[]): Promise<string> =>
    (await run(newerPeer(name), args, { cwd: folder, env: { HOME: folder, DOCKER_CONFIG: folder } })).stdout.trim();

  beforeAll(async () => {
    [modern, old] = await Promise.all([embeddedRegistry(), embeddedRegistry({ layers: [withoutReferrers] })]);
    folder = await mkdtemp(join(tmpdir(), 'slipway-newer-'));
    await writeFile(join(folder, 'file'), 'content\n');
    const options = { ...registries.connectionOptions(), access: 'push' } as const;
    const layer = execFileSync('tar', ['-c', '--mtime=@0', '-C', folder, 'file'], { encoding: 'buffer' });
    await pushImage(openRepository(`${modern.host}/app`, options), 'v1', { layers: [layer] });
  });
  afterAll(async () => {
    await registries[Symbol.asyncDispose]();
    await Promise.all([modern.close(), old.close()]);
    await rm(folder, { recursive: true });
  });

  it.each<[string, ImageConversion]>([
    ['v1', { compression: 'gzip' }],
    ['v1', { format: 'docker', compression: 'gzip' }],
    // The validation of crane 0.20 reads gzip alone.
    ['zstd', { format: 'docker' }],
  ])('find %s, as %j, valid: layers and diffIDs too', async (tag, conversion) => {
    const options = { ...places, referrers: false };
    if (tag === 'zstd') {
      const zstd: ImageConversion = { compression: 'zstd' };
      await copyImage(`${modern.host}/app:v1`, `${modern.host}/app:zstd`, { ...options, conversion: zstd });
    }
    const to = `${modern.host}/app:${tag}-${Object.values(conversion).join('-')}`;
    const { descriptor } = await copyImage(`${modern.host}/app:${tag}`, to, { ...options, conversion });
    expect(await peer('crane', 'validate', '--insecure', '--remote', to)).toMatch(/^PASS/);
    expect(await peer('crane', 'digest', '--insecure', to)).toBe(descriptor.digest);
  });

  it.each([
    ['from the API to the tag', 'v1.1-referrers-api', 'v1.1-referrers-tag'],
    ['from the tag to the API', 'v1.1-referrers-tag', 'v1.1-referrers-api'],
  ])('attach, and find again what was copied with its image %s', async (_, attached, found) => {
    const host = (kind: string): string => (kind.endsWith('api') ? modern.host : old.host);
    const name = attached.slice(-3);
    const [from, to] = [`${host(attached)}/${name}:v1`, `${host(found)}/${name}-copied:v1`];
    await copyImage(`${modern.host}/app:v1`, from, { ...places, referrers: false });
    const attach = ['attach', '--plain-http', '--distribution-spec', attached, '--artifact-type', 'test/sbom'];
    await peer('oras', ...attach, '--annotation', 'k=v', from, 'file:text/plain');
    await copyImage(from, to, { ...places, referrers: true });
    const discover = ['discover', '--plain-http', '--distribution-spec', found, '--format', 'json', to];
    expect(JSON.parse(await peer('oras', ...discover))).toMatchObject({
      manifests: [{ artifactType: 'test/sbom', annotations: { k: 'v' } }],
    });
    await using place = await openPlace(to, places);
    const listed = await place.target.referrers((await place.resolve()).digest, 'test/sbom');
    expect(listed).toHaveLength(1);
  });
});
