import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  copyReference,
  type Descriptor,
  describe as describeContent,
  digestOf,
  fetchBytes,
  mediaTypes,
  parseManifest,
  serializeConfig,
  serializeManifest,
} from '../../src/oci/index.ts';
import { MemoryTarget, openSink, openSource, parseLocation } from '../../src/transports/index.ts';

const hasSkopeo = spawnSync('skopeo', ['--version']).status === 0;
const layer = Buffer.alloc(10_240); // an empty tar
let folder = '';
let image: Descriptor;
const memory = new MemoryTarget();

const at = (place: string): string => place.replace('@', `${folder}/`);
const file = (place: string): Parameters<typeof openSource>[0] => {
  const location = parseLocation(at(place));
  if (!('path' in location)) throw new Error(`${place} is no file`);
  return location;
};
const skopeo = (...args: string[]): string =>
  execFileSync('skopeo', ['--tmpdir', folder, '--insecure-policy', ...args], { encoding: 'utf8' });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interop-'));
  const config = serializeConfig({
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Cmd: ['sh'] },
    diffIds: [digestOf(layer)],
    history: [{ createdBy: 'test' }],
  });
  const [configs, layers] = [
    describeContent(mediaTypes.ociConfig, config),
    describeContent(mediaTypes.ociLayer, layer),
  ];
  const manifest = serializeManifest({
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    config: configs,
    layers: [layers],
  });
  image = describeContent(mediaTypes.ociManifest, manifest);
  await memory.push(layers, layer);
  await memory.push(configs, config);
  await memory.push(image, manifest);
  await memory.tag(image, 'v1');
});
afterAll(() => rm(folder, { recursive: true }));

(hasSkopeo ? describe : describe.skip)('skopeo (skipped where it is not installed)', () => {
  it.each(['oci:@layout:v1', 'oci-archive:@oci.tar:v1', 'docker-archive:@docker.tar:me/app:v1'])(
    'reads what we write to %s',
    async (place) => {
      const location = file(place);
      await using sink = await openSink(location);
      await copyReference(memory, 'v1', sink, { names: [location.reference] });
      await sink.commit();
      expect(skopeo('inspect', '--config', at(place))).toContain(digestOf(layer));
      skopeo('copy', '-q', at(place), at(`dir:@from-${location.kind}`));
    },
  );

  it('writes layouts and archives that we read', async () => {
    await using sink = await openSink(file('oci:@source:v1'));
    await copyReference(memory, 'v1', sink, { names: ['v1'] });
    for (const place of [
      'oci:@by-skopeo:v1',
      'oci-archive:@by-skopeo-oci.tar:v1',
      'docker-archive:@by-skopeo.tar:me/app:v1',
    ]) {
      skopeo('copy', '-q', at('oci:@source:v1'), at(place));
      const location = file(place);
      await using source = await openSource(location);
      const copy = new MemoryTarget();
      const copied = await copyReference(source, location.reference, copy, { names: ['v1'] });
      expect((await source.resolve('')).digest).toBe(copied.digest);
      const manifest = parseManifest(await fetchBytes(copy, copied), copied.mediaType);
      if (location.kind === 'docker-archive') expect(manifest.layers[0]?.digest).toBe(digestOf(layer));
      else expect(manifest.layers).toHaveLength(1);
    }
  });

  it('adds to a layout of ours, and we to what it added', async () => {
    await using ours = await openSink(file('oci:@shared'));
    await copyReference(memory, 'v1', ours, { names: ['v1'] });
    skopeo('copy', '-q', at('oci:@shared:v1'), at('oci:@shared:v2'));
    await ours.tag(image, 'v3');
    for (const name of ['v1', 'v2', 'v3']) expect(skopeo('inspect', at(`oci:@shared:${name}`))).toContain('"Digest"');
  });
});
