import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { replaceFile } from '../../src/system/index.ts';

describe('replaceFile', () => {
  let folder = '';
  const within = (name: string) => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'replace-file-'));
    await writeFile(within('file'), 'old');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('puts a new file in the place of the old one', async () => {
    const before = await stat(within('file'));
    await replaceFile(within('file'), Buffer.from('new'));
    expect(await readFile(within('file'), 'utf8')).toBe('new');
    expect((await stat(within('file'))).ino).not.toBe(before.ino);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('keeps mode and owner', async () => {
    await chmod(within('file'), 0o751);
    const { uid, gid } = await stat(within('file'));
    await replaceFile(within('file'), Buffer.from('new'));
    expect(await stat(within('file'))).toMatchObject({ mode: 0o100751, uid, gid });
  });

  it('changes the file behind a link, and leaves the link', async () => {
    await symlink('file', within('link'));
    await replaceFile(within('link'), Buffer.from('new'));
    expect(await readlink(within('link'))).toBe('file');
    expect(await readFile(within('file'), 'utf8')).toBe('new');
  });

  it('makes no file that was not there', async () => {
    await expect(replaceFile(within('none'), Buffer.from('new'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves nothing behind when it fails', async () => {
    await expect(replaceFile(folder, Buffer.from('new'))).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['file']);
  });
});
