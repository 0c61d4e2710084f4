import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../src/oci/index.ts';
import { isRoot, rootPrivileges, scratch } from './scratch.ts';
import { file, tar } from './tar-builder.ts';

/** A Node whose zlib streams have other inner objects: seen once, by the first test of a process. */
const changed = { _handle: {}, _writeState: [], close: () => {} } as unknown as zlib.Gunzip;
const suite = isRoot ? describe : describe.skip;

suite('where Node is not as expected, the documented streams unpack (skipped without root)', () => {
  const layer = tar(file('f', 'x'.repeat(3 << 20)));
  it.each([
    ['gzip', 'createGunzip', zlib.gzipSync(layer)],
    ['zstd', 'createZstdDecompress', zlib.zstdCompressSync(layer)],
  ] as const)('%s', async (_form, maker, blob) => {
    const real: () => zlib.Gunzip = zlib[maker];
    const makers: (() => zlib.Gunzip)[] = [() => changed];
    let asked = 0;
    const value = () => (++asked, makers.pop() ?? real)();
    Object.defineProperty(zlib, maker, { value, configurable: true, enumerable: true });
    const { applyLayer } = await import('../../src/layer/index.ts'); // fresh: no test of Node has been made in it
    using place = scratch();
    const root = place.folder('root');
    const applied = await applyLayer([blob], root, { privileges: rootPrivileges, whiteouts: 'overlay' });
    expect([applied.diffId, fs.statSync(path.join(root, 'f')).size]).toEqual([digestOf(layer), 3 << 20]);
    expect(asked).toBe(2); // the one that was found wanting, and the stream
    await expect(
      applyLayer([blob.subarray(0, -9)], place.folder('cut'), { privileges: rootPrivileges, whiteouts: 'overlay' }),
    ).rejects.toMatchObject({ code: 'TRUNCATED' });
    Object.defineProperty(zlib, maker, { value: real, configurable: true, enumerable: true });
  });
});
