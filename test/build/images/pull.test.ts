import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { pullImage } from '../../../src/build/index.ts';
import {
  type Descriptor,
  formatPlatform,
  hostPlatform,
  mediaTypes,
  type Platform,
  serializeIndex,
} from '../../../src/oci/index.ts';
import { openRepository, Registries } from '../../../src/registry/index.ts';
import { type EmbeddedRegistry, embeddedRegistry } from '../../registry/embedded.ts';
import { pushDocument, pushImage } from '../../registry/made-images.ts';
import { ScratchStore } from '../../store/scratch-store.ts';

let registry: EmbeddedRegistry;
const registries = new Registries();
const requests: string[] = [];
const platforms: readonly Platform[] = [hostPlatform(), { os: 'linux', architecture: 's390x' }];

beforeAll(async () => {
  registry = await embeddedRegistry({ onRequest: ({ method, path }) => void requests.push(`${method} ${path}`) });
  const target = openRepository(`${registry.host}/app`, { ...registries.connectionOptions(), access: 'push' });
  const shared = tar('shared');
  const manifests: Descriptor[] = [];
  for (const platform of platforms) {
    const image = { architecture: platform.architecture, layers: [shared, tar(formatPlatform(platform))] };
    manifests.push({ ...(await pushImage(target, undefined, image)), platform });
  }
  const index = serializeIndex({ kind: 'index', mediaType: mediaTypes.ociIndex, manifests });
  await pushDocument(target, mediaTypes.ociIndex, index, 'v1');
});
afterAll(async () => {
  await registries[Symbol.asyncDispose]();
  await registry.close();
});

function tar(text: string): Buffer {
  const script = 'cd "$(mktemp -d)" && printf %s "$1" > file && tar -c --mtime=@0 file && rm -r "$PWD"';
  return execFileSync('/bin/sh', ['-c', script, 'sh', text], { encoding: 'buffer' });
}

it('a pull of two platforms asks for each document and each blob once, and for nothing the second time but the name', async () => {
  await using scratch = new ScratchStore();
  const store = await scratch.open({ snapshotter: 'copy' });
  const pull = () =>
    pullImage(`${registry.host}/app:v1`, {
      store,
      open: (name, access) => registries.open(name, access),
      platforms,
    });
  requests.length = 0;
  const first = await pull();
  expect(requests.toSorted()).toEqual([...new Set(requests)].toSorted());
  // The index, two manifests, two configs, three layers.
  expect(requests).toHaveLength(8);
  requests.length = 0;
  const second = await pull();
  expect([first.changed, second.changed]).toEqual([true, false]);
  expect(requests).toEqual(['HEAD /v2/app/manifests/v1']);
});
