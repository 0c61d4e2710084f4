import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  describe as describeContent,
  type Digest,
  digestOf,
  type ImageConfig,
  mediaTypes,
} from '../../src/oci/index.ts';
import type { Store } from '../../src/store/index.ts';
import { file, tar } from '../layer/tar-builder.ts';
import { isRoot, ScratchStore } from './scratch-store.ts';

const layerTar = tar({ ...file('data'), content: randomBytes(900_000) });
const content = gzipSync(layerTar, { level: 1 });
const descriptor = describeContent(mediaTypes.ociLayerGzip, content);
const config: ImageConfig = {
  platform: { os: 'linux', architecture: 'amd64' },
  config: {},
  diffIds: [digestOf(layerTar)],
  history: [],
};
const part = `partial-${descriptor.digest.replace(':', '-')}`;

/** Content that comes in pieces, and breaks after `most` bytes of one stream. */
function source(most: number, bytes: Buffer = content) {
  const offsets: number[] = [];
  const open = async (offset: number): Promise<Readable> => {
    offsets.push(offset);
    async function* pieces(): AsyncGenerator<Buffer> {
      for (let at = offset; at < bytes.length; at += 10_000) {
        if (at - offset >= most) throw new Error('the connection broke');
        yield bytes.subarray(at, at + 10_000);
        await sleep(0);
      }
    }
    return Readable.from(pieces(), { objectMode: false });
  };
  return { offsets, open };
}

const kinds: readonly (readonly [string, (store: Store) => void])[] = [
  ['stored', () => undefined],
  ['unpacked on its way', (store) => store.expectImage(descriptor, config, [descriptor])],
];

describe.each(isRoot ? kinds : kinds.slice(0, 1))('a blob that is %s', (_, expectIt) => {
  const opened = async (scratch: ScratchStore): Promise<Store> => {
    const store = await scratch.open();
    expectIt(store);
    return store;
  };
  const expectWhole = async (store: Store): Promise<void> => {
    expect(store.content.state(descriptor.digest)).toBe('present');
    expect((await store.content.read(descriptor.digest)).equals(content)).toBe(true);
  };

  it('goes on in another process where it broke, and is told of from there', async () => {
    await using scratch = new ScratchStore();
    const broken = source(400_000);
    await expect((await opened(scratch)).target.pushFrom?.(descriptor, broken.open)).rejects.toThrow('broke');
    const kept = fs.statSync(path.join(scratch.root, 'ingest', part)).size;
    expect(kept).toBeGreaterThanOrEqual(65_536);
    const store = await opened(scratch);
    const rest = source(content.length);
    const told: number[] = [];
    await store.target.pushFrom?.(descriptor, rest.open, { onProgress: (bytes) => told.push(bytes) });
    expect(rest.offsets).toEqual([kept]);
    expect(told[0]).toBeGreaterThan(kept);
    expect(told.at(-1)).toBe(content.length);
    await expectWhole(store);
    expect(scratch.files('ingest')).toEqual([]);
  });

  it('is fetched from the start, once, where what was kept is wrong', async () => {
    await using scratch = new ScratchStore();
    const store = await opened(scratch);
    fs.writeFileSync(path.join(scratch.root, 'ingest', part), randomBytes(100_000));
    const good = source(content.length);
    await store.target.pushFrom?.(descriptor, good.open);
    expect(good.offsets).toEqual([100_000, 0]);
    await expectWhole(store);
  });

  it('is not asked for at all where all of it was kept', async () => {
    await using scratch = new ScratchStore();
    const store = await opened(scratch);
    fs.writeFileSync(path.join(scratch.root, 'ingest', part), content);
    const unused = source(0);
    await store.target.pushFrom?.(descriptor, unused.open);
    expect(unused.offsets).toEqual([]);
    await expectWhole(store);
  });

  it('leaves nothing where its bytes are wrong', async () => {
    await using scratch = new ScratchStore();
    const store = await opened(scratch);
    const wrong = source(content.length, randomBytes(content.length));
    await expect(store.target.pushFrom?.(descriptor, wrong.open)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(scratch.files('ingest')).toEqual([]);
    expect(store.content.state(descriptor.digest)).toBeUndefined();
  });

  it('is moved once for two who want it at once', async () => {
    await using scratch = new ScratchStore();
    const stores = [await opened(scratch), await opened(scratch)];
    const sources = [source(content.length), source(content.length)];
    const push = async (store: Store, at: number) => store.target.pushFrom?.(descriptor, sources[at]?.open ?? fail);
    await Promise.all(stores.map(push));
    expect(sources.flatMap(({ offsets }) => offsets)).toEqual([0]);
    for (const store of stores) await store.unpack(isRoot ? config.diffIds : []).catch(() => undefined);
    await expectWhole(stores[1] as Store);
  });
});

function fail(): never {
  throw new Error('not to be asked for');
}

describe('parts of downloads', () => {
  const keep = (scratch: ScratchStore, name: string, { size = 70_000, days = 0 } = {}): void => {
    const place = path.join(scratch.root, 'ingest', `partial-sha256-${name.repeat(64)}`);
    fs.writeFileSync(place, Buffer.alloc(size));
    const time = Date.now() / 1000 - days * 86_400;
    fs.utimesSync(place, time, time);
  };

  it('stay for a week and are no content', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    keep(scratch, 'a', { days: 6 });
    keep(scratch, 'b', { days: 8 });
    await store.collectGarbage();
    expect(scratch.files('ingest')).toEqual([`partial-sha256-${'a'.repeat(64)}`]);
    expect(store.content.state(`sha256:${'a'.repeat(64)}` as Digest)).toBeUndefined();
  });

  it('go with a prune, and count as reclaimed', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    keep(scratch, 'a');
    expect(await store.prune({ all: false, buildCache: false })).toMatchObject({ spaceReclaimed: 70_000 });
    expect(scratch.files('ingest')).toEqual([]);
  });

  it('stay while somebody is at them', async () => {
    await using scratch = new ScratchStore();
    const [store, other] = [await scratch.open(), await scratch.open()];
    const slow = source(content.length);
    const pull = store.target.pushFrom?.(descriptor, slow.open);
    await sleep(20);
    await other.prune({ all: true, buildCache: true });
    await pull;
    expect(slow.offsets).toEqual([0]);
    expect(store.content.state(descriptor.digest)).toBe('present');
  });

  it('smaller than a request is worth are not kept', async () => {
    await using scratch = new ScratchStore();
    const store = await scratch.open();
    await expect(store.target.pushFrom?.(descriptor, source(20_000).open)).rejects.toThrow('broke');
    expect(scratch.files('ingest')).toEqual([]);
  });
});

describe('what a place has of an upload', () => {
  const key = ['registry.example/app', descriptor.digest] as const;

  it('is kept for the next process, while nobody is at it', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    first.transfers.keep(...key, 'there');
    const second = await scratch.open();
    expect(second.transfers.take(...key)).toBeUndefined();
    await first.close();
    expect(second.transfers.take(...key)).toBe('there');
    expect(second.transfers.take(...key)).toBeUndefined();
  });

  it('is forgotten when it is done', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    first.transfers.keep(...key, 'there');
    first.transfers.forget(...key);
    await first.close();
    expect((await scratch.open()).transfers.take(...key)).toBeUndefined();
  });

  it('is at most 200, the last ones', async () => {
    await using scratch = new ScratchStore();
    const first = await scratch.open();
    for (let at = 0; at < 205; at++) first.transfers.keep(`registry.example/app${at}`, descriptor.digest, `${at}`);
    await first.close();
    const second = await scratch.open();
    const found = Array.from({ length: 205 }, (_, at) =>
      second.transfers.take(`registry.example/app${at}`, descriptor.digest),
    );
    expect(found.filter((state) => state !== undefined)).toHaveLength(200);
    expect(found[204]).toBe('204');
  });
});
