import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportCacheMounts } from '../../../src/build/mounts/cache-archive/export.ts';
import { indexName, readIndex } from '../../../src/build/mounts/cache-archive/index-file.ts';
import type { Store } from '../../../src/store/index.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const mount = {
  id: 'id',
  origin: '',
  created: 1,
  lastUsed: 2,
  owner: { uid: 0, gid: 0, mode: 0o755 },
  digest,
  size: 3,
  diffId: digest,
};

describe('the index of exported cache mounts', () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'slipway-index-'))));
  afterAll(() => rm(folder, { recursive: true }));
  const read = async (value: unknown) => {
    await writeFile(join(folder, indexName), typeof value === 'string' ? value : JSON.stringify(value));
    return readIndex(folder);
  };

  it('is read as it was written', async () => {
    expect(await read({ version: 1, mounts: [mount] })).toEqual({ version: 1, mounts: [mount] });
  });

  it('need not be there', async () => {
    expect(await readIndex(join(folder, 'nowhere'))).toBeUndefined();
  });

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['no JSON', '{', /it is no JSON/],
    ['null', null, /another version/],
    ['another version', { version: 2, mounts: [] }, /another version/],
    ['no list', { version: 1, mounts: {} }, /its list of mounts is none/],
    ['too many', { version: 1, mounts: Array.from({ length: 1001 }, () => mount) }, /its list of mounts is none/],
    ['a mount that is none', { version: 1, mounts: [null] }, /id is no text/],
    ['a long id', { version: 1, mounts: [{ ...mount, id: 'x'.repeat(5000) }] }, /id is no text/],
    ['a path for a digest', { version: 1, mounts: [{ ...mount, digest: '../../etc/passwd' }] }, /digest is no digest/],
    ['another algorithm', { version: 1, mounts: [{ ...mount, diffId: `sha512:${'a'.repeat(128)}` }] }, /diffId is no/],
    [
      'a mode of more than permissions',
      { version: 1, mounts: [{ ...mount, owner: { uid: 0, gid: 0, mode: 0o100755 } }] },
      /mode is no/,
    ],
    ['a negative owner', { version: 1, mounts: [{ ...mount, owner: { uid: -1, gid: 0, mode: 0 } }] }, /uid is no/],
    ['a time that is none', { version: 1, mounts: [{ ...mount, lastUsed: '2' }] }, /lastUsed is no/],
  ];
  it.each(refused)('is refused: %s', async (_, value, message) => {
    await expect(read(value)).rejects.toMatchObject({
      code: 'ARCHIVE_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('is written beside nothing that a killed export left', async () => {
    const old = join(folder, '.00000000-0000-4000-8000-000000000000.part');
    const young = join(folder, '.00000000-0000-4000-8000-000000000001.part');
    for (const file of [old, young]) await writeFile(file, '');
    await utimes(old, 1, 1);
    await rm(join(folder, indexName), { force: true });
    const empty = { cacheMounts: { list: () => [] } } as unknown as Store;
    await exportCacheMounts(empty, folder);
    expect((await readdir(folder)).toSorted()).toEqual(['.00000000-0000-4000-8000-000000000001.part', indexName]);
  });
});
