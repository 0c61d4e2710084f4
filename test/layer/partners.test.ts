import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { LayerPipe } from '../../src/layer/apply/layer-pipe.ts';
import { applyInWorker } from '../../src/layer/index.ts';
import { FarPlacer, hashFrom, placeFrom } from '../../src/layer/worker/far-placer.ts';
import { PieceWriter, readPieces } from '../../src/layer/worker/pieces.ts';
import { digestOf } from '../../src/oci/index.ts';
import { isRoot, listTree, rootPrivileges, scratch } from './scratch.ts';
import { dir, file, tar } from './tar-builder.ts';

const suite = isRoot ? describe : describe.skip;
const options = { privileges: rootPrivileges, whiteouts: 'overlay' } as const;
/** Enough that it is worth two threads, and more than may be under way between them. */
const content = randomBytes(8 << 20).toString('base64');
const large = tar(dir('d'), file('d/big', content), file('last', 'x'));
const expected = (blob: Buffer) => ({ digest: digestOf(blob), size: blob.length });

suite('a layer in several threads (skipped without root)', () => {
  it.each([
    ['compressed', zlib.gzipSync(large, { level: 1 })],
    ['plain', large],
  ] as const)('comes out whole: %s', async (_how, blob) => {
    using place = scratch();
    const root = place.folder('root');
    const kept = path.join(place.path, 'kept');
    const fd = fs.openSync(kept, 'w');
    const applied = await applyInWorker(Readable.from([blob]), root, {
      ...options,
      ingestFd: fd,
      expect: expected(blob),
    });
    fs.closeSync(fd);
    expect(applied).toMatchObject({ diffId: digestOf(large), size: large.length, entries: 3, blob: expected(blob) });
    expect(digestOf(fs.readFileSync(kept))).toBe(digestOf(blob));
    expect(fs.readFileSync(path.join(root, 'd/big'), 'latin1') === content).toBe(true);
    expect(listTree(root).map((line) => line.split(' ')[0])).toEqual(['d', 'd/big', 'last']);
  });

  const bad = tar(file('big', content), file('.wh...'));
  const broken = Buffer.concat([large.subarray(0, 5 << 20), randomBytes(large.length - (5 << 20))]);
  const brokenPacked = zlib.gzipSync(Buffer.concat([tar(file('f')).subarray(0, 512), randomBytes(6 << 20)]));
  it.each([
    ['an unsafe entry', bad, expected(bad), { code: 'UNSAFE_ENTRY' }],
    ['no tar', brokenPacked, expected(brokenPacked), { code: 'INVALID_TAR' }],
    ['damaged on the way, and no tar either', broken, expected(large), { code: 'DIGEST_MISMATCH' }],
    ['too short', large.subarray(0, -1), expected(large), { code: 'SIZE_MISMATCH' }],
    [
      'cut, as its digest says',
      large.subarray(0, 6 << 20),
      expected(large.subarray(0, 6 << 20)),
      { code: 'TRUNCATED' },
    ],
  ] as const)('errors keep their code: %s', async (_what, blob, expect_, error) => {
    using place = scratch();
    const applied = applyInWorker([blob], place.folder('root'), { ...options, expect: expect_ });
    await expect(applied).rejects.toMatchObject({ ...error, name: 'LayerError' });
  });

  it('an abort ends all of it', async () => {
    using place = scratch();
    const root = place.folder('root');
    const silent = new Readable({ read() {} });
    silent.push(large.subarray(0, 2 << 20));
    const abort = new AbortController();
    const applied = applyInWorker(silent, root, { ...options, expect: expected(large), signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(applied).rejects.toThrow('enough');
    fs.rmSync(root, { recursive: true }); // nobody writes any more
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fs.existsSync(root)).toBe(false);
  });
});

suite('its parts, by themselves (skipped without root)', () => {
  const halves = (root: string) => {
    const [places, hashes] = [new MessageChannel(), new MessageChannel()];
    const placer = new FarPlacer({ placer: places.port1, hasher: hashes.port1 });
    return { placer, placed: placeFrom(places.port2, root, options, () => {}), hashed: hashFrom(hashes.port2) };
  };

  it('no more is under way than a few pieces', async () => {
    using place = scratch();
    const { placed, placer, hashed } = halves(place.folder('root'));
    const pipe = new LayerPipe(placer, {});
    let done = false;
    const written = Promise.resolve(pipe.write(zlib.gzipSync(Buffer.concat([large, large])))).then(
      () => (done = true),
      () => (done = true),
    );
    // Without a turn of the event loop the others take nothing.
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    expect(done).toBe(false);
    await written;
    pipe.close();
    await Promise.all([placed, hashed]);
  });

  it('what ends the first ends the others, with nothing left open', async () => {
    using place = scratch();
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    const { placed, placer, hashed } = halves(place.folder('root'));
    placer.write(large.subarray(0, 1024));
    placer.close();
    await Promise.all([placed, hashed]);
    expect(open()).toBe(before);
  });

  it('what goes wrong in another is heard in the first, before its end and at it', async () => {
    using place = scratch();
    const { placed, placer } = halves(path.join(place.path, 'missing'));
    placer.write(large.subarray(0, 1024));
    await placed;
    await expect(placer.finish()).rejects.toMatchObject({ name: 'LayerError' });
    await expect(placer.room()).rejects.toMatchObject({ name: 'LayerError' });
    placer.close();
  });

  it('one that has come to its end ends nobody else', async () => {
    const [quick, slow] = [new MessageChannel(), new MessageChannel()];
    const writer = new PieceWriter([quick.port1, slow.port1]);
    const read = readPieces(quick.port2, () => ({ write() {}, finish: () => 'quick' }));
    writer.write(large.subarray(0, 1024));
    const results = writer.end();
    await read;
    await once(quick.port1, 'close');
    slow.port2.postMessage({ kind: 'result', result: 'slow' });
    expect(await results).toEqual(['quick', 'slow']);
    writer.close();
  });
});
