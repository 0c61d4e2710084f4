import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  applyInWorker,
  applyLayer,
  compressInWorker,
  encodeHeader,
  endOfArchive,
  makeLayerInWorker,
  packToFile,
  recordStatsInWorker,
} from '../../src/layer/index.ts';
import { digestOf } from '../../src/oci/index.ts';
import { deriveTar } from './derive-tar.ts';
import { isRoot, listTree, rootPrivileges, scratch } from './scratch.ts';
import { dir, file, symlink, tar } from './tar-builder.ts';

const suite = isRoot ? describe : describe.skip;
const privileges = rootPrivileges;
const layer = tar(dir('d'), file('d/f', 'content'), symlink('l', 'd/f'));

suite('worker threads (skipped without root)', () => {
  it('stand ready for work that is expected, and keep no process alive', () => {
    const index = JSON.stringify(new URL('../../src/layer/index.ts', import.meta.url).href);
    const script = `const { expectLayerWork } = await import(${index}); expectLayerWork(); expectLayerWork(); expectLayerWork();`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 });
    expect([status, stderr.toString()]).toEqual([0, '']);
  });

  it('apply a stream, keep its bytes and tell both digests', async () => {
    using place = scratch();
    const blob = zlib.gzipSync(layer);
    const kept = path.join(place.path, 'kept');
    const fd = fs.openSync(kept, 'w');
    const expect_ = { digest: digestOf(blob), size: blob.length };
    const root = place.folder('root');
    const applied = await applyInWorker(Readable.from([blob.subarray(0, 20), blob.subarray(20)]), root, {
      privileges,
      whiteouts: 'overlay',
      ingestFd: fd,
      expect: expect_,
    });
    fs.closeSync(fd);
    expect(applied).toMatchObject({ diffId: digestOf(layer), size: layer.length, entries: 3, blob: expect_ });
    expect(fs.readFileSync(kept).equals(blob)).toBe(true);
    expect(listTree(root)).toEqual(['d 755 0:0 dir', 'd/f 644 0:0 file "content"7', 'l 777 0:0 -> d/f']);
  });

  it('apply a file', async () => {
    using place = scratch();
    const blob = path.join(place.path, 'blob');
    fs.writeFileSync(blob, layer);
    const applied = await applyInWorker({ path: blob }, place.folder('root'), { privileges, whiteouts: 'overlay' });
    expect(applied.diffId).toBe(digestOf(layer));
  });

  it('diff, record and compress', async () => {
    using place = scratch();
    const folder = place.folder('tree');
    await applyLayer([layer], folder, { privileges, whiteouts: 'overlay' });
    const headerList = `${folder}.headers`;
    const draft = await makeLayerInWorker({ folder, options: { privileges, lowers: [], headerList } });
    const plain = Buffer.concat([...deriveTar(headerList, folder)]);
    expect(digestOf(plain)).toBe(draft.diffId);
    const { stream, result } = compressInWorker({ headerList, folder }, { compression: 'zstd' });
    const packed = Buffer.concat(await stream.toArray());
    expect(await result).toMatchObject({ diffId: draft.diffId, digest: digestOf(packed), size: packed.length });
    expect(zlib.zstdDecompressSync(packed).equals(plain)).toBe(true);
    await recordStatsInWorker(folder, `${folder}.stats`);
    const unchanged = await makeLayerInWorker({
      folder,
      statsFile: `${folder}.stats`,
      options: { privileges, lowers: [folder], headerList },
    });
    expect(unchanged.entries).toBe(0);
  });

  describe('pack a folder in one pass: the bytes and the list of two', () => {
    const content = 'a line of text\n'.repeat(200_000) + randomBytes(3 << 20).toString('base64');
    const entries = tar(dir('d'), file('d/big', content), file('d/empty'), file('f', 'small'), symlink('l', 'd/big'));

    it.each(['gzip', 'zstd'] as const)('%s', async (compression) => {
      using place = scratch();
      const folder = place.folder('tree');
      await applyLayer([entries], folder, { privileges, whiteouts: 'overlay' });
      const options = { privileges, lowers: [] };
      const draft = await makeLayerInWorker({ folder, options: { ...options, headerList: `${folder}.two` } });
      const { stream, result } = compressInWorker({ headerList: `${folder}.two`, folder }, { compression, level: 1 });
      const blob = Buffer.concat(await stream.toArray());

      const file = fs.openSync(`${folder}.blob`, 'w');
      const how = { compression, level: 1 };
      const packed = await packToFile({ folder, options: { ...options, headerList: `${folder}.one` } }, file, how);
      fs.closeSync(file);
      expect(packed).toEqual({ draft, compressed: await result });
      expect(fs.readFileSync(`${folder}.blob`).equals(blob)).toBe(true);
      expect(fs.readFileSync(`${folder}.one`).equals(fs.readFileSync(`${folder}.two`))).toBe(true);
    });

    it('also of a tree with recorded stats', async () => {
      using place = scratch();
      const folder = place.folder('tree');
      await applyLayer([layer], folder, { privileges, whiteouts: 'delete' });
      const lower = place.folder('lower');
      await applyLayer([layer], lower, { privileges, whiteouts: 'overlay' });
      await recordStatsInWorker(folder, `${folder}.stats`);
      fs.writeFileSync(path.join(folder, 'new'), 'new');
      const fd = fs.openSync(`${folder}.blob`, 'w');
      const options = { privileges, lowers: [lower], headerList: `${folder}.headers` };
      const { draft } = await packToFile({ folder, statsFile: `${folder}.stats`, options }, fd, {
        compression: 'gzip',
      });
      fs.closeSync(fd);
      expect(draft.entries).toBe(1);
      const plain = zlib.gunzipSync(fs.readFileSync(`${folder}.blob`));
      expect(digestOf(plain)).toBe(draft.diffId);
    });

    it('and an abort ends it', async () => {
      using place = scratch();
      const folder = place.folder('tree');
      fs.writeFileSync(path.join(folder, 'big'), randomBytes(32 << 20));
      const fd = fs.openSync(`${folder}.blob`, 'w');
      const controller = new AbortController();
      const options = { privileges, lowers: [], headerList: `${folder}.headers` };
      const how = { compression: 'gzip', level: 9, signal: controller.signal } as const;
      const packing = packToFile({ folder, options }, fd, how);
      controller.abort(new Error('enough'));
      await expect(packing).rejects.toThrow('enough');
      expect(fs.fstatSync(fd).size).toBeLessThan(32 << 20);
      fs.closeSync(fd);
    });
  });

  it('compress a stream', async () => {
    const { stream, result } = compressInWorker([layer], { compression: 'gzip' });
    const packed = Buffer.concat(await stream.toArray());
    expect(zlib.gunzipSync(packed).equals(layer)).toBe(true);
    expect((await result).diffId).toBe(digestOf(layer));
  });

  const failures: readonly (readonly [what: string, source: Buffer, code: string])[] = [
    ['a hostile layer', tar(file('.wh...')), 'UNSAFE_ENTRY'],
    ['a longer input than expected', Buffer.concat([layer, Buffer.from('x')]), 'SIZE_MISMATCH'],
    ['a shorter one', layer.subarray(0, -1), 'SIZE_MISMATCH'],
    ['other bytes of the same size', Buffer.concat([layer.subarray(0, -1), Buffer.from('x')]), 'DIGEST_MISMATCH'],
  ];
  it.each(failures)('errors keep their code: %s', async (_what, source, code) => {
    using place = scratch();
    const expected = code === 'UNSAFE_ENTRY' ? {} : { expect: { digest: digestOf(layer), size: layer.length } };
    const applied = applyInWorker([source], place.folder('root'), { privileges, whiteouts: 'overlay', ...expected });
    await expect(applied).rejects.toMatchObject({ code, name: 'LayerError' });
  });

  it('a source that breaks is what the caller hears', async () => {
    using place = scratch();
    const source = (async function* () {
      yield layer.subarray(0, 100);
      throw new Error('connection lost');
    })();
    await expect(applyInWorker(source, place.folder('root'), { privileges, whiteouts: 'overlay' })).rejects.toThrow(
      'connection lost',
    );
  });

  it('an abort ends a job whose source is silent', async () => {
    using place = scratch();
    const silent = new Readable({ read() {} });
    silent.push(layer.subarray(0, 600));
    const abort = new AbortController();
    const applied = applyInWorker(silent, place.folder('root'), {
      privileges,
      whiteouts: 'overlay',
      signal: abort.signal,
    });
    abort.abort(new Error('enough'));
    await expect(applied).rejects.toThrow('enough');
    if (!silent.closed) await once(silent, 'close');
    expect(silent.destroyed).toBe(true);
  });

  it('a reader that goes away ends the compression', async () => {
    const endless = (function* () {
      for (;;) yield Buffer.alloc(1 << 20, 'x');
    })();
    const { stream, result } = compressInWorker(endless, { compression: 'none' });
    await once(stream, 'readable');
    stream.destroy();
    await expect(result).rejects.toThrow('went away');
  });

  it('a full disk is told as such', async () => {
    using place = scratch();
    const fd = fs.openSync('/dev/full', 'w');
    const applied = applyInWorker([layer], place.folder('root'), { privileges, whiteouts: 'overlay', ingestFd: fd });
    await expect(applied).rejects.toMatchObject({ code: 'DISK_FULL' });
    fs.closeSync(fd);
  });

  it('memory stays flat over a layer of 256 MiB', async () => {
    using place = scratch();
    const root = place.folder('root');
    const piece = Buffer.alloc(1 << 20);
    const size = 256 << 20;
    const big = function* (): Generator<Buffer> {
      yield encodeHeader({ name: Buffer.from('big'), type: 'file', mode: 0o644, uid: 0, gid: 0, size, mtimeNs: 0n });
      for (let i = 0; i < 256; i++) yield piece;
      yield endOfArchive;
    };
    await applyInWorker([layer], place.folder('warm'), { privileges, whiteouts: 'overlay' });
    const before = process.memoryUsage().rss;
    let highest = 0;
    const onProgress = (): void => void (highest = Math.max(highest, process.memoryUsage().rss));
    const { stream } = compressInWorker(big(), { compression: 'zstd' });
    await applyInWorker(stream, root, { privileges, whiteouts: 'overlay', onProgress });
    expect(fs.statSync(path.join(root, 'big')).size).toBe(size);
    expect((Math.max(highest, process.memoryUsage().rss) - before) / 2 ** 20).toBeLessThan(150);
  });
});
