import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chainIdOf, collect, type Digest, digestOf } from '../../src/oci/index.ts';
import type { Store } from '../../src/store/index.ts';
import { asRoot, isRoot, ScratchStore } from './scratch-store.ts';
import { baseScript, changes, listLayer, type MadeLayer, runIn, step } from './snapshot-contract.ts';

const drivers = ['overlay', 'copy'] as const;
const rootIt = isRoot ? it : it.skip;

describe(`both drivers make the same layer${asRoot}`, () => {
  const stores: { readonly scratch: ScratchStore; readonly store: Store; readonly base: MadeLayer }[] = [];

  beforeAll(async () => {
    for (const snapshotter of isRoot ? drivers : []) {
      const scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      stores.push({ scratch, store, base: await step(store, undefined, baseScript) });
    }
  });
  afterAll(async () => {
    for (const { scratch } of stores) await scratch[Symbol.asyncDispose]();
  });

  (isRoot ? it.each(changes) : it.skip.each(changes))('%s', async (_, script, expected) => {
    const diffIds: Digest[] = [];
    for (const { store, base } of stores) {
      const layer = await step(store, base.chainId, script);
      expect(await listLayer(store, layer)).toEqual(expected);
      diffIds.push(layer.diffId);
    }
    expect(diffIds[1]).toBe(diffIds[0]);
  });

  rootIt('the base too', () => {
    expect(stores[1]?.base).toEqual(stores[0]?.base);
  });
});

/** What every driver does. */
function snapshotContract(snapshotter: (typeof drivers)[number]): void {
  describe(`the ${snapshotter} driver${asRoot}`, () => {
    rootIt('shows a committed tree', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const base = await step(store, undefined, baseScript);
      const upper = await step(store, base.chainId, 'rm a/x; echo new > a/z');
      await runIn(store.snapshots.view(upper.chainId), 'test ! -e a/x; test -e a/y; test "$(cat a/z)" = new');
      await runIn(store.snapshots.view(base.chainId), 'test -e a/x; test ! -e a/z');
      expect(upper.chainId).toBe(chainIdOf(base.chainId, upper.diffId));
    });

    rootIt('shows hard links of layers below as such, until one of them is changed', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const base = await step(
        store,
        undefined,
        'mkdir d; for n in 1 2 3; do echo x > $n; done; ln 1 d/1; ln 2 d/2; ln 3 d/3; ln 3 d/4',
      );
      const upper = await step(store, base.chainId, 'echo new > d/2; chmod 600 d/3; touch other');
      const linked = (a: string, b: string) => `test "$(stat -c %i ${a})" = "$(stat -c %i ${b})"`;
      await runIn(store.snapshots.view(upper.chainId), `${linked('1', 'd/1')}; ${linked('3', 'd/4')}`);
      await runIn(store.snapshots.view(upper.chainId), `! ${linked('2', 'd/2')}; ! ${linked('3', 'd/3')}`);
      await runIn(store.snapshots.view(upper.chainId), 'test "$(cat 2)" = x; test "$(cat d/2)" = new');
    });

    rootIt('cannot be written through a view', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const { chainId } = await step(store, undefined, baseScript);
      await expect(runIn(store.snapshots.view(chainId), 'echo no > a/x')).rejects.toThrow(/Read-only/);
    });

    rootIt('shows an empty tree where there is no layer', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      await runIn(store.snapshots.view(undefined), 'test -z "$(ls -A)"');
    });

    rootIt('keeps the attributes of the top folder', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const first = await store.snapshots.prepare(undefined);
      await runIn(first.root, 'chmod 1711 .; chown 5:6 .; echo 1 > f');
      const base = await store.snapshots.commit(first, await store.snapshots.diff(first));
      const { chainId } = await step(store, base, 'echo 2 > g');
      await runIn(store.snapshots.view(chainId), 'test "$(stat -c "%a %u %g" .)" = "1711 5 6"');
    });

    rootIt('leaves nothing of a discarded snapshot', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const active = await store.snapshots.prepare(undefined);
      const hostile =
        'mkdir -p deep/er; chmod 0 deep; echo x > deep/er/x; ln -s /etc outside; n=$(printf "\\\\377"); mkdir "$n"';
      await runIn(active.root, hostile);
      await store.snapshots.discard(active);
      expect(scratch.files('snapshots')).toEqual(['.trash']);
      expect(scratch.files('snapshots/.trash')).toEqual([]);
    });

    rootIt('opens one again that was written to, and does not discard what was committed', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const active = await store.snapshots.prepare(undefined);
      await runIn(active.root, 'echo 1 > f');
      await store.snapshots.reopen(active);
      await runIn(active.root, 'test "$(cat f)" = 1; echo 2 >> f');
      const chainId = await store.snapshots.commit(active, await store.snapshots.diff(active));
      await store.snapshots.discard(active);
      await runIn(store.snapshots.view(chainId), 'test "$(cat f | tr -d "\\n")" = 12');
    });

    rootIt('keeps the first of two equal snapshots', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const first = await step(store, undefined, 'echo same > f; touch -d @1500000000 f');
      const second = await step(store, undefined, 'echo same > f; touch -d @1500000000 f');
      expect(second).toEqual(first);
      expect(scratch.files('snapshots')).toHaveLength(2);
    });

    rootIt('makes a blob with the layer where one is wanted: the one that is made of it otherwise', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const form = { mediaTypes: 'oci', compression: 'gzip' } as const;
      const base = await step(store, undefined, baseScript);
      const active = await store.snapshots.prepare(base.chainId);
      await runIn(active.root, 'echo new > a/new; rm d/1');
      const draft = await store.snapshots.diff(active, { blobForm: form });
      const [made] = scratch.files('blobs/sha256');
      await store.snapshots.commit(active, draft);
      const blob = await store.layerBlob(draft.diffId, form);
      expect([blob.digest, scratch.files('blobs/sha256')]).toEqual([`sha256:${made}`, [made]]);
      const bytes = gunzipSync(await collect(await store.content.fetch(blob), blob));
      expect(digestOf(bytes)).toBe(draft.diffId);

      const again = await store.snapshots.prepare(base.chainId);
      await runIn(again.root, 'true');
      expect((await store.snapshots.diff(again)).entries).toBe(0);
      rmSync(`${scratch.root}/blobs/sha256/${made}`);
      expect((await store.layerBlob(draft.diffId, form)).digest).toBe(blob.digest);
    });

    rootIt('makes a layer whose blob cannot be made, and leaves nothing of that', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const active = await store.snapshots.prepare(undefined);
      writeFileSync(`${active.folder}/f`, 'content');
      rmSync(`${scratch.root}/ingest`, { recursive: true });
      const blobForm = { mediaTypes: 'oci', compression: 'gzip' } as const;
      const draft = await store.snapshots.diff(active, { blobForm });
      mkdirSync(`${scratch.root}/ingest`);
      expect(draft.entries).toBe(1);
      await store.snapshots.commit(active, draft);
      expect((await store.layerBlob(draft.diffId, blobForm)).size).toBeGreaterThan(0);
      expect(scratch.files('ingest')).toEqual([]);
    });

    rootIt('refuses a parent that is not unpacked', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      const absent = `sha256:${'0'.repeat(64)}` as Digest;
      await expect(store.snapshots.prepare(absent)).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' });
    });

    rootIt('stacks 127 layers', async () => {
      await using scratch = new ScratchStore();
      const store = await scratch.open({ snapshotter });
      let parent: Digest | undefined;
      for (let at = 0; at < 127; at++) {
        const active = await store.snapshots.prepare(parent);
        writeFileSync(`${active.folder}/f${at}`, String(at));
        parent = await store.snapshots.commit(active, await store.snapshots.diff(active));
      }
      const { chainId } = await step(store, parent, 'test "$(ls | wc -l)" = 127; rm f0');
      await runIn(store.snapshots.view(chainId), 'test "$(ls | wc -l)" = 126; test "$(cat f126)" = 126');
    });
  });
}

for (const driver of drivers) snapshotContract(driver);
