import { mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { putFile } from '../../src/system/index.ts';

describe('putFile', () => {
  let folder = '';
  const within = (name: string) => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'put-file-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('makes a file with the mode that is asked for', async () => {
    await putFile(within('file'), 'new', { mode: 0o600 });
    expect(await readFile(within('file'), 'utf8')).toBe('new');
    expect((await stat(within('file'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('puts a file in the place of a link, and leaves what the link led to', async () => {
    await writeFile(within('elsewhere'), 'old');
    await symlink('elsewhere', within('file'));
    await putFile(within('file'), 'new');
    await expect(readlink(within('file'))).rejects.toMatchObject({ code: 'EINVAL' });
    expect(await readFile(within('elsewhere'), 'utf8')).toBe('old');
  });

  it('leaves nothing, and what was there before, where it cannot be finished', async () => {
    await writeFile(within('file'), 'old');
    const finish = () => Promise.reject(new Error('no'));
    await expect(putFile(within('file'), 'new', { finish })).rejects.toThrow('no');
    expect(await readFile(within('file'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });
});
