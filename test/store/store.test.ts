import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { chainIdOf, describe as describeContent, type Digest, digestOf, mediaTypes } from '../../src/oci/index.ts';
import type { Store } from '../../src/store/index.ts';
import { buildImage, buildLayer } from './make-image.ts';
import { schemaVersion } from '../../src/store/schema.ts';
import { asRoot, isRoot, ScratchStore } from './scratch-store.ts';

const rootIt = isRoot ? it : it.skip;
const gzip = { mediaTypes: 'oci', compression: 'gzip' } as const;
const keepAll = { all: false, buildCache: false } as const;

function rows(scratch: ScratchStore, sql: string): unknown[] {
  const db = new DatabaseSync(path.join(scratch.root, 'slipway.db'));
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

function change(scratch: ScratchStore, sql: string): void {
  const db = new DatabaseSync(path.join(scratch.root, 'slipway.db'));
  db.exec(sql);
  db.close();
}

describe('opening', () => {
  it('makes an empty layout that is private', async () => {
    await using scratch = new ScratchStore();
    await (await scratch.open()).close();
    const mode = (name: string): string => (fs.statSync(path.join(scratch.root, name)).mode & 0o777).toString(8);
    expect([mode('.'), mode('slipway.db'), mode('index.json')]).toEqual(['700', '600', '644']);
    expect(JSON.parse(fs.readFileSync(path.join(scratch.root, 'oci-layout'), 'utf8'))).toEqual({
      imageLayoutVersion: '1.0.0',
    });
    expect(scratch.files('locks')).toEqual([]);
  });

  it('refuses a store of a newer program', async () => {
    await using scratch = new ScratchStore();
    await (await scratch.open()).close();
    change(scratch, 'PRAGMA user_version = 99');
    await expect(scratch.open()).rejects.toMatchObject({ code: 'NEWER_SCHEMA' });
    await expect(scratch.open({ readOnly: true })).rejects.toMatchObject({ code: 'NEWER_SCHEMA' });
  });

  it('brings an empty database to the schema', async () => {
    await using scratch = new ScratchStore();
    fs.mkdirSync(scratch.root, { mode: 0o700 });
    new DatabaseSync(path.join(scratch.root, 'slipway.db')).close();
    const store = await scratch.open();
    expect(store.images.list()).toEqual([]);
    await store.close();
    expect(rows(scratch, 'PRAGMA user_version')).toEqual([{ user_version: schemaVersion }]);
  });

  it('refuses a folder that others may write to', async () => {
    await using scratch = new ScratchStore();
    fs.mkdirSync(scratch.root);
    fs.chmodSync(scratch.root, 0o777);
    await expect(scratch.open()).rejects.toMatchObject({ code: 'NOT_A_STORE' });
  });

  it('says that a database is damaged', async () => {
    await using scratch = new ScratchStore();
    fs.mkdirSync(scratch.root, { mode: 0o700 });
    fs.writeFileSync(path.join(scratch.root, 'slipway.db'), 'no database at all, but long enough to be one'.repeat(50));
    await expect(scratch.open()).rejects.toMatchObject({ code: 'DAMAGED' });
  });

  it('for reading wants a store', async () => {
    await using scratch = new ScratchStore();
    await expect(scratch.open({ readOnly: true })).rejects.toMatchObject({ code: 'NOT_A_STORE' });
    expect(fs.existsSync(scratch.root)).toBe(false);
  });

  it('for reading writes nothing', async () => {
    await using scratch = new ScratchStore();
    const content = Buffer.from('x');
    const descriptor = describeContent(mediaTypes.ociLayer, content);
    const writer = await scratch.open();
    await writer.target.push(descriptor, content);
    await writer.close();
    const store = await scratch.open({ readOnly: true });
    expect(await store.target.exists(descriptor)).toBe(true);
    const other = Buffer.from('y');
    const pushed = store.target.push(describeContent(mediaTypes.ociLayer, other), other);
    await expect(pushed).rejects.toMatchObject({ code: 'READ_ONLY' });
    await store.close();
    expect(scratch.files('ingest')).toEqual([]);
  });

  it('twice in one process works', async () => {
    await using scratch = new ScratchStore();
    const content = Buffer.from('x');
    const descriptor = describeContent(mediaTypes.ociLayer, content);
    const [one, two] = [await scratch.open(), await scratch.open()];
    await one.target.push(descriptor, content);
    expect(await two.target.exists(descriptor)).toBe(true);
    await one.close();
    await two.target.push(descriptor, content);
  });

  it('is over after closing', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    await store.close();
    await store.close();
    expect(() => store.images.list()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

describe(`snapshots that are not synced${asRoot}`, () => {
  rootIt('survive another command', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    const { config } = await buildImage(first, [{ f: '1' }], ['web']);
    await first.close();
    expect((await scratch.open()).snapshots.has(config.diffIds[0] as Digest)).toBe(true);
  });

  rootIt('are dropped after a restart, with what only they could give', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    const { id, config } = await buildImage(first, [{ f: '1' }], ['lost']);
    const diffId = config.diffIds[0] as Digest;
    first.cache.put({ key: digestOf('key'), parts: {}, diffId, parent: undefined });
    const kept = await buildImage(first, [{ f: '2' }], ['kept']);
    await first.materialize(kept.id, gzip);
    await first.close();
    change(scratch, 'UPDATE snapshots SET synced = 0');
    scratch.forgetMarkers();
    const store = await scratch.open();
    expect(store.snapshots.has(diffId)).toBe(false);
    expect(store.images.find(id)).toBeUndefined();
    expect(store.cache.get(digestOf('key'))).toBeUndefined();
    expect(scratch.files('snapshots')).toEqual(['.trash']);
    expect(store.images.find('kept')?.id).toBe(kept.id);
    await store.unpack(kept.config.diffIds);
    expect(store.snapshots.has(kept.config.diffIds[0] as Digest)).toBe(true);
  });

  rootIt('are kept after a restart once they were synced', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    const { config } = await buildImage(first, [{ f: '1' }], ['web']);
    await first.close();
    change(scratch, 'UPDATE snapshots SET synced = 1');
    scratch.forgetMarkers();
    expect((await scratch.open()).snapshots.has(config.diffIds[0] as Digest)).toBe(true);
  });

  rootIt('are synced in the background', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    await buildImage(first, [{ f: '1' }], ['web']);
    await first.close();
    const synced = (): unknown[] => rows(scratch, 'SELECT number FROM snapshots WHERE synced = 1');
    while (synced().length === 0) await (await scratch.open()).close();
    expect(synced()).toHaveLength(1);
  });
});

describe(`cache records${asRoot}`, () => {
  rootIt('are given back whole', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const diffId = await buildLayer(store, undefined, { f: '1' });
    const record = { key: digestOf('k'), parts: { op: 'RUN true', env: 'A=1' }, diffId, parent: undefined };
    store.cache.put(record);
    expect(store.cache.get(record.key)).toEqual(record);
    expect(store.cache.get(digestOf('other'))).toBeUndefined();
  });

  rootIt('of a layer that is gone are none', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    store.cache.put({ key: digestOf('k'), parts: {}, diffId: digestOf('gone'), parent: undefined });
    expect(store.cache.get(digestOf('k'))).toBeUndefined();
  });

  it('have facts beside them', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    store.cache.putFact('content', 'chain /app', 'sha256:1');
    store.cache.putFact('content', 'chain /app', 'sha256:2');
    expect(store.cache.fact('content', 'chain /app')).toBe('sha256:2');
    expect(store.cache.fact('content', 'chain /etc')).toBeUndefined();
  });
});

describe(`garbage${asRoot}`, () => {
  async function reopened(scratch: ScratchStore, store: Store): Promise<Store> {
    await store.close();
    return scratch.open();
  }

  rootIt('is what a removed image leaves, but for what others share', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    const base = { base: 'x'.repeat(1000) };
    const one = await buildImage(first, [base, { f: '1' }], ['one']);
    const two = await buildImage(first, [base, { f: '2' }], ['two']);
    await first.materialize(one.id, gzip);
    await first.materialize(two.id, gzip);
    const store = await reopened(scratch, first);
    store.images.remove(one.id);
    expect((await store.collectGarbage()).spaceReclaimed).toBeGreaterThan(0);
    const top = (image: typeof one): Digest => chainIdOf(image.config.diffIds[0], image.config.diffIds[1] as Digest);
    expect([store.snapshots.has(top(one)), store.snapshots.has(top(two))]).toEqual([false, true]);
    expect(store.content.state(one.id)).toBeUndefined();
    expect(scratch.files('snapshots')).toHaveLength(3);
    expect(scratch.files('blobs/sha256')).toHaveLength(4);
    expect(scratch.files('snapshots/.trash')).toEqual([]);
  });

  rootIt('is not what a cache record, a signature or this process needs', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    const diffId = await buildLayer(first, undefined, { f: '1' });
    const leased = await buildLayer(first, undefined, { f: '2' });
    await first.collectGarbage();
    expect([first.snapshots.has(diffId), first.snapshots.has(leased)]).toEqual([true, true]);
    first.cache.put({ key: digestOf('k'), parts: {}, diffId, parent: undefined });
    const store = await reopened(scratch, first);
    await store.collectGarbage();
    expect([store.snapshots.has(diffId), store.snapshots.has(leased)]).toEqual([true, false]);
  });

  rootIt('goes with prune: dangling images, all images, cache', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    const old = await buildImage(first, [{ f: '1' }], ['web']);
    const now = await buildImage(first, [{ f: '2' }], ['web']);
    const cached = await buildLayer(first, undefined, { f: '3' });
    first.cache.put({ key: digestOf('k'), parts: {}, diffId: cached, parent: undefined });
    const store = await reopened(scratch, first);
    expect((await store.usage()).images).toMatchObject({ total: 2, active: 0 });
    expect(await store.prune(keepAll)).toMatchObject({ untagged: [], deleted: [old.id], deletedCacheRecords: [] });
    expect(await store.prune({ all: true, buildCache: false })).toMatchObject({
      untagged: ['docker.io/library/web:latest'],
      deleted: [now.id],
    });
    expect((await store.usage()).buildCache).toMatchObject({ total: 1 });
    const last = await store.prune({ all: true, buildCache: true });
    expect(last.deletedCacheRecords).toEqual([digestOf('k')]);
    expect(last.spaceReclaimed).toBeGreaterThan(0);
    expect(await store.usage()).toMatchObject({ images: { total: 0, size: 0 }, buildCache: { total: 0, size: 0 } });
    expect([scratch.files('snapshots'), scratch.files('blobs/sha256')]).toEqual([['.trash'], []]);
  });

  it('is what is told of results that go with prune by age', async () => {
    await using scratch = new ScratchStore();
    const { cache, ...store } = await scratch
      .open()
      .then((open) => ({ cache: open.cache, prune: open.prune.bind(open) }));
    const [key, unknown] = [digestOf('k'), digestOf('made elsewhere')];
    cache.put({ key, parts: {}, diffId: digestOf('layer'), parent: undefined });
    for (const each of [key, unknown]) cache.putFact('created', each, '2026-01-01T00:00:00Z');
    cache.putFact('selection', 'of', 'digest');
    await store.prune({ all: false, images: false, buildCache: true, before: Date.now() - 60_000 });
    const facts = () => [cache.fact('created', key), cache.fact('created', unknown), cache.fact('selection', 'of')];
    expect(facts()).toEqual(['2026-01-01T00:00:00Z', undefined, 'digest']);
    await store.prune({ all: false, images: false, buildCache: true, before: Date.now() + 60_000 });
    expect(facts()).toEqual([undefined, undefined, 'digest']);
  });

  rootIt('is not the image of a container', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    const { id } = await buildImage(first, [{ f: '1' }], ['web']);
    const store = await reopened(scratch, first);
    const bundle = await store.registerContainer({ id: 'c1', image: id });
    expect(bundle).toBe(path.join(scratch.root, 'containers/c1'));
    expect((await store.prune({ all: true, buildCache: true })).deleted).toEqual([]);
    expect((await store.usage()).images).toMatchObject({ total: 1, active: 1, reclaimable: 0 });
    await store.forgetContainer('c1');
    expect(scratch.files('containers')).toEqual([]);
    expect((await store.prune({ all: true, buildCache: true })).deleted).toEqual([id]);
  });

  rootIt('may be a tree that is hard to delete', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    const active = await store.snapshots.prepare(undefined);
    let folder = active.folder;
    process.umask(0o022);
    for (let at = 0; at < 60; at++) folder = path.join(folder, 'n'.repeat(50));
    fs.mkdirSync(folder, { recursive: true });
    // Longer than a path may be, as a step makes it by going down one at a time.
    for (let at = 0; at < 60; at++) {
      fs.mkdirSync(path.join(active.folder, 'top'));
      fs.renameSync(path.join(active.folder, 'n'.repeat(50)), path.join(active.folder, 'top', 'n'.repeat(50)));
      fs.renameSync(path.join(active.folder, 'top'), path.join(active.folder, 'n'.repeat(50)));
    }
    fs.writeFileSync(Buffer.concat([Buffer.from(`${active.folder}/`), Buffer.from([0xff, 0x0a])]), '');
    await store.snapshots.discard(active);
    expect(scratch.files('snapshots/.trash')).toEqual([]);
  });
});
