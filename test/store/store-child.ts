import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { describe as describeContent, type Digest, mediaTypes } from '../../src/oci/index.ts';
import { openStore } from '../../src/store/index.ts';
import { buildImage } from './make-image.ts';
import { testPrivileges } from './scratch-store.ts';

/**
 * Run as a program: `store-child.ts <root> <what> [number]`. Says `ready` where it is to be killed, and waits there; or does its
 * work and ends.
 */
const [root = '', what = '', number = '0'] = process.argv.slice(2);
await using store = await openStore({ root, privileges: testPrivileges });

async function waitToBeKilled(): Promise<never> {
  fs.writeSync(1, 'ready\n');
  for (;;) await sleep(60_000);
}

/** What a child does. */
const actions: Record<string, () => Promise<void>> = {
  async 'a view being written'() {
    const active = await store.snapshots.prepare(undefined);
    fs.writeFileSync(`${active.folder}/half`, 'done');
    await waitToBeKilled();
  },
  async 'a layer made but not committed'() {
    const active = await store.snapshots.prepare(undefined);
    fs.writeFileSync(`${active.folder}/half`, 'done');
    await store.snapshots.diff(active);
    await waitToBeKilled();
  },
  async 'a blob coming in'() {
    const content = Buffer.alloc(200_000, 'x');
    async function* stalling(): AsyncGenerator<Buffer> {
      yield content.subarray(0, 100_000);
      await waitToBeKilled();
    }
    await store.target.push(describeContent(mediaTypes.ociLayer, content), Readable.from(stalling()));
  },
  async 'a container'() {
    const bundle = await store.registerContainer({ id: 'c1' });
    fs.writeFileSync(`${bundle}/config.json`, '{}');
    await waitToBeKilled();
  },
  async 'an image that is there'() {
    await buildImage(store, [{ f: 'kept' }], ['kept']);
    await waitToBeKilled();
  },
  async 'many images'() {
    for (let at = 0; at < 12; at++) {
      const { id } = await buildImage(store, [{ shared: 'same' }, { own: `${at}` }], [`image:${at}`, 'latest-of-all']);
      await store.materialize(id, { mediaTypes: 'oci', compression: at % 2 === 0 ? 'gzip' : 'none' });
      store.cache.put({
        key: `sha256:${String(at).padStart(64, '0')}` as Digest,
        parts: { by: number },
        diffId: id,
        parent: undefined,
      });
    }
  },
  async 'collect garbage'() {
    for (let at = 0; at < 12; at++) await store.prune({ all: false, buildCache: true });
  },
};
await actions[what]?.();
