import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describe as describeContent, type Descriptor, mediaTypes, serializeManifest } from '../../src/oci/index.ts';
import { type LayoutTarget, openLayout } from '../../src/transports/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-layout-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const blobs = () => readdir(join(folder, 'blobs', 'sha256'));

/** Pushes a manifest over one layer; returns its descriptor, not named yet. */
async function pushImage(layout: LayoutTarget, text: string): Promise<Descriptor> {
  const config = Buffer.from('{}');
  const layer = Buffer.from(text);
  const manifest = {
    kind: 'manifest' as const,
    mediaType: mediaTypes.ociManifest,
    config: describeContent(mediaTypes.ociConfig, config),
    layers: [describeContent(mediaTypes.ociLayer, layer)],
  };
  const bytes = serializeManifest(manifest);
  const descriptor = describeContent(mediaTypes.ociManifest, bytes);
  await layout.push(manifest.config, config);
  await layout.push(manifest.layers[0] ?? manifest.config, layer);
  await layout.push(descriptor, bytes);
  return descriptor;
}

describe('garbage of a layout', () => {
  it('is what no name leads to', async () => {
    const layout = await openLayout(folder, { create: true });
    await using writing = await layout.beginWriting();
    await layout.tag(await pushImage(layout, 'old'), 'latest');
    await layout.tag(await pushImage(layout, 'kept'), 'other');
    await layout.tag(await pushImage(layout, 'new'), 'latest');
    await pushImage(layout, 'nameless');
    await writeFile(join(folder, 'blobs', 'sha256', 'README'), 'not a blob');
    await writing.collectGarbage();
    // Two manifests, two layers, one config that both have, and what is not ours.
    expect((await blobs()).length).toBe(6);
    for (const name of ['latest', 'other']) expect(await layout.exists(await layout.resolve(name))).toBe(true);
  });

  it('waits for other writers: the last one collects', async () => {
    const [first, second] = [await openLayout(folder, { create: true }), await openLayout(folder)];
    await using writing = await first.beginWriting();
    const other = await second.beginWriting();
    const unnamed = await pushImage(second, 'about to be named');
    await first.tag(await pushImage(first, 'first'), 'first');
    await writing.collectGarbage();
    expect(await second.exists(unnamed)).toBe(true);
    await second.tag(unnamed, 'second');
    await pushImage(first, 'garbage');
    await other[Symbol.asyncDispose]();
    const before = (await blobs()).length;
    await writing.collectGarbage();
    expect((await blobs()).length).toBe(before - 2);
    expect(await second.exists(await second.resolve('second'))).toBe(true);
  });

  it('is not hindered by a writer that died', async () => {
    const layout = await openLayout(folder, { create: true });
    await using writing = await layout.beginWriting();
    await writeFile(join(folder, '.slipway', 'writers', '00000000-0000-4000-8000-000000000000.db'), '');
    await pushImage(layout, 'garbage');
    await writing.collectGarbage();
    expect(await blobs()).toEqual([]);
  });

  it('is kept where a document cannot be read: what it names is unknown', async () => {
    const layout = await openLayout(folder, { create: true });
    await using writing = await layout.beginWriting();
    const image = await pushImage(layout, 'image');
    await layout.tag(image, 'latest');
    await writeFile(join(folder, 'blobs', 'sha256', image.digest.slice(7)), 'x'.repeat(image.size));
    await expect(writing.collectGarbage()).rejects.toThrow();
    expect((await blobs()).length).toBe(3);
  });
});
