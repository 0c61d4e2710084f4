import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { programDigest } from '../../../tools/single-file/program.ts';
import { cacheFolders, type Program, unpackedProgram } from '../../../tools/single-file/unpacked-program.ts';

const contents: Readonly<Record<string, string>> = {
  'bin/slipway': 'start();\n',
  'dist/cli.js': 'export {};\n',
  'package.json': '{}\n',
};
const digest = programDigest(Object.entries(contents).map(([path, text]) => ({ path, content: Buffer.from(text) })));
const program: Program = {
  version: '1.2.3',
  commit: 'abc',
  name: '1.2.3-0123',
  digest,
  files: Object.entries(contents).map(([path, text]) => [path, text.length]),
};
const read = (path: string): Uint8Array => Buffer.from(contents[path] ?? '');
const isRoot = process.geteuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
const why = isRoot ? '' : ' (needs root)';
const nobody = 65534;

let home: string;
let folder: string;
beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), 'slipway-unpacked-'));
  folder = join(home, 'cache', 'slipway');
});
afterEach(() => fs.rmSync(home, { recursive: true }));

const use = (...folders: string[]): string => unpackedProgram(program, folders, read);
const inode = (path: string): number => fs.statSync(path).ino;

function unpackedFiles(path: string): Record<string, string> {
  return Object.fromEntries(Object.keys(contents).map((name) => [name, fs.readFileSync(join(path, name), 'utf8')]));
}

it('the first start unpacks, for the user alone; the next takes what is there', () => {
  const path = use(folder);
  expect(path).toBe(join(folder, program.name));
  expect(unpackedFiles(path)).toEqual(contents);
  for (const made of [folder, path, join(path, 'bin')]) expect(fs.statSync(made).mode & 0o777).toBe(0o700);
  const before = inode(path);
  expect(use(folder)).toBe(path);
  expect(inode(path)).toBe(before);
  expect(fs.readdirSync(folder)).toEqual([program.name]);
});

describe('what a cleaner left', () => {
  it.each([
    ['a file is missing', (path: string) => fs.rmSync(join(path, 'dist/cli.js'))],
    ['a file is empty', (path: string) => fs.truncateSync(join(path, 'package.json'))],
    ['all files are missing', (path: string) => fs.rmSync(join(path, 'bin'), { recursive: true })],
  ])('%s: it is put back', (_, harm) => {
    const path = use(folder);
    const before = inode(path);
    harm(path);
    expect(unpackedFiles(use(folder))).toEqual(contents);
    expect(inode(path)).toBe(before); // others may run from it
    expect(fs.readdirSync(folder)).toEqual([program.name]);
  });
});

it('what was left by a process that was killed is removed, and nothing else', () => {
  const left = [
    '.1.2.3-0123.0123456789ab',
    '.1.0.0-4567.0123456789ab',
    '.1.2.3-0123.ffffffffffff',
    '.hidden',
    '1.0.0-4567',
  ];
  for (const name of left) fs.mkdirSync(join(folder, name, 'bin'), { recursive: true });
  const longAgo = Date.now() / 1000 - 7200;
  for (const name of left) if (!name.includes('ffff')) fs.utimesSync(join(folder, name), longAgo, longAgo);
  use(folder);
  expect(fs.readdirSync(folder).sort()).toEqual(['.1.2.3-0123.ffffffffffff', '.hidden', '1.0.0-4567', program.name]);
});

it('another process that was faster is not disturbed', () => {
  const path = join(folder, program.name);
  let before = 0;
  const slow = (name: string): Uint8Array => {
    if (before === 0) before = inode(use(folder));
    return read(name);
  };
  expect(unpackedProgram(program, [folder], slow)).toBe(path);
  expect(inode(path)).toBe(before);
  expect(fs.readdirSync(folder)).toEqual([program.name]);
});

it('what one of the folders has already is taken before it is unpacked into another', () => {
  const system = join(home, 'system', 'slipway');
  const path = use(system);
  expect(use(folder, system)).toBe(path);
  expect(fs.existsSync(folder)).toBe(false);
});

it('an executable whose bytes have changed is told, and leaves nothing', () => {
  const damaged = (path: string): Uint8Array => Buffer.from((contents[path] ?? '').replace('start', 'stare'));
  expect(() => unpackedProgram(program, [folder, join(home, 'other')], damaged)).toThrow(/is damaged/);
  expect(fs.readdirSync(folder)).toEqual([]);
});

describe('a folder that others could have filled is not used', () => {
  /** As an attacker would leave it: the right name and sizes, other code. */
  function plant(path: string): void {
    for (const [name, text] of Object.entries(contents)) {
      fs.mkdirSync(join(path, name, '..'), { recursive: true, mode: 0o755 });
      fs.writeFileSync(join(path, name), 'X'.repeat(text.length));
    }
  }

  it('a link', () => {
    plant(join(home, 'theirs'));
    fs.mkdirSync(folder, { recursive: true });
    fs.symlinkSync(join(home, 'theirs'), join(folder, program.name));
    expect(() => use(folder)).toThrow(/1\.2\.3-0123 is not a folder/);
  });

  it('a link in the place of the whole cache', () => {
    plant(join(home, 'theirs', program.name));
    fs.mkdirSync(join(home, 'cache'));
    fs.symlinkSync(join(home, 'theirs'), folder);
    expect(() => use(folder)).toThrow(/slipway: is not a folder/);
  });

  it('a folder that everybody can write to', () => {
    plant(join(folder, program.name));
    fs.chmodSync(join(folder, program.name), 0o777);
    expect(() => use(folder)).toThrow(/1\.2\.3-0123 can be written to by others/);
  });

  it('a way through a folder that everybody can write to', () => {
    plant(join(folder, program.name));
    fs.chmodSync(join(home, 'cache'), 0o777);
    expect(() => use(folder)).toThrow(/cache can be written to by others/);
  });

  asRoot(`a folder of another user${why}`, () => {
    plant(join(folder, program.name));
    fs.chownSync(join(folder, program.name), nobody, nobody);
    expect(() => use(folder)).toThrow(/1\.2\.3-0123 belongs to user 65534/);
  });

  asRoot(`a cache of another user${why}`, () => {
    plant(join(folder, program.name));
    fs.chownSync(folder, nobody, nobody);
    expect(() => use(folder)).toThrow(/slipway: belongs to user 65534/);
  });

  asRoot(`the home of another user, who could exchange what is in it${why}`, () => {
    fs.mkdirSync(join(home, 'cache'));
    fs.chownSync(join(home, 'cache'), nobody, nobody);
    expect(() => use(folder)).toThrow(/cache belongs to user 65534/);
  });

  asRoot(`but the next is${why}`, () => {
    plant(join(folder, program.name));
    fs.chownSync(folder, nobody, nobody);
    const other = join(home, 'system', 'slipway');
    expect(unpackedFiles(use(folder, other))).toEqual(contents);
  });
});

it('the folder that other parts of the cache share may have been made under a loose umask: it is closed', () => {
  fs.mkdirSync(folder, { recursive: true });
  fs.chmodSync(folder, 0o775);
  use(folder);
  expect(fs.statSync(folder).mode & 0o777).toBe(0o755);
});

it('XDG_CACHE_HOME and HOME say where; a relative one does not count', () => {
  const system = '/var/cache/slipway';
  expect(cacheFolders({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toEqual(['/x/slipway', system]);
  expect(cacheFolders({ XDG_CACHE_HOME: 'x', HOME: '/h' })).toEqual(['/h/.cache/slipway', system]);
  expect(cacheFolders({ HOME: 'h' })).toEqual([system]);
});

it('the digest is of names and contents', () => {
  const hash = createHash('sha256')
    .update('a\0' + '1\0' + 'x')
    .update('b\0' + '0\0')
    .digest('hex');
  const files = [
    { path: 'a', content: Buffer.from('x') },
    { path: 'b', content: Buffer.alloc(0) },
  ];
  expect(programDigest(files)).toBe(hash);
});
