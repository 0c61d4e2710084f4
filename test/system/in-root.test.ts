import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadSyscalls, makeDirsInRoot, openInRoot, readFileInRoot, resolveInRoot } from '../../src/system/index.ts';
import { asRoot, scratchFolder } from './scratch.ts';

const scratch = scratchFolder();
const root = path.join(scratch, 'root');
const outside = path.join(scratch, 'outside');
const openBefore = fs.readdirSync('/proc/self/fd').length;

beforeAll(() => {
  for (const folder of ['etc', 'usr/lib', 'deep/er', 'proc'])
    fs.mkdirSync(path.join(root, folder), { recursive: true });
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, 'passwd'), 'outside');
  fs.writeFileSync(path.join(root, 'etc/passwd'), 'inside');
  const links: Readonly<Record<string, string>> = {
    lib: 'usr/lib',
    absolute: '/etc',
    up: '../../../../../etc',
    leak: outside,
    'deep/er/back': '../../etc/passwd',
    'deep/er/beyond': '../../../../../../etc/passwd',
    loop: 'loop',
    ping: 'pong/x',
    pong: 'ping/x',
    magic: '/proc/self/root/etc',
    dangling: 'nowhere/at/all',
    'etc/shadow': '/etc/passwd',
    chain40: 'chain39',
    chain0: 'etc',
  };
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, path.join(root, name));
  for (let index = 1; index < 40; index++) fs.symlinkSync(`chain${index - 1}`, path.join(root, `chain${index}`));
});
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));
afterEach(() => expect(fs.readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(openBefore + 4));

describe('resolveInRoot', () => {
  const resolved = (from: string | Buffer, followFinal = true): string => {
    const place = resolveInRoot(root, from, { followFinal });
    try {
      return place.path.toString('latin1');
    } finally {
      place[Symbol.dispose]();
    }
  };

  const cases: readonly (readonly [string, string, string])[] = [
    ['a plain path', '/etc/passwd', 'etc/passwd'],
    ['a path without a slash in front', 'etc/passwd', 'etc/passwd'],
    ['slashes and dots to spare', '//etc/./../etc///passwd', 'etc/passwd'],
    ['the root', '/', ''],
    ['an empty path', '', ''],
    ['.. above the root', '../../../etc', 'etc'],
    ['a relative link on the way', 'lib/x', 'usr/lib/x'],
    ['a relative link at the end', 'lib', 'usr/lib'],
    ['an absolute link, which counts from the root', 'absolute/passwd', 'etc/passwd'],
    ['a link with .. above the root', 'up/passwd', 'etc/passwd'],
    ['a link with .. to a file', 'deep/er/back', 'etc/passwd'],
    ['a link with too many ..', 'deep/er/beyond', 'etc/passwd'],
    ['.. after a link, which leaves its target', 'lib/..', 'usr'],
    ['what does not exist', 'etc/none', 'etc/none'],
    ['40 links', 'chain39', 'etc'],
  ];
  it.each(cases)('%s', (_name, from, expected) => expect(resolved(from)).toBe(expected));

  it('a final link stays where it is not to be followed, unless a slash follows it', () => {
    expect(resolved('lib', false)).toBe('lib');
    expect(resolved('absolute/../lib', false)).toBe('lib');
    expect(resolved('lib/', false)).toBe('usr/lib');
  });

  const errors: readonly (readonly [string, string, string])[] = [
    ['a link to a folder that is only outside', 'leak/passwd', 'ENOENT'],
    ['a link through the magic of /proc', 'magic/passwd', 'ENOENT'],
    ['a link to itself', 'loop', 'ELOOP'],
    ['links to one another', 'ping/x', 'ELOOP'],
    ['more than 40 links', 'chain40/passwd', 'ELOOP'],
    ['a missing folder', 'none/x', 'ENOENT'],
    ['a dangling link on the way', 'dangling/x', 'ENOENT'],
    ['a file on the way', 'etc/passwd/x', 'ENOTDIR'],
    ['a NUL', 'etc\0/x', 'EINVAL'],
    ['a name of 300 bytes', 'x'.repeat(300).concat('/y'), 'ENAMETOOLONG'],
  ];
  it.each(errors)('%s is refused', (_name, from, errno) => {
    expect(() => resolved(from)).toThrow(expect.objectContaining({ code: 'SYSCALL_FAILED', errno }));
  });

  it('names may be any bytes', () => {
    const name = Buffer.from([0xff, 0x80]);
    fs.mkdirSync(Buffer.concat([Buffer.from(`${root}/`), name]));
    expect(resolved(Buffer.concat([name, Buffer.from('/../'), name]))).toBe('\xff\x80');
  });

  it('gives a place that calls can be made on', () => {
    const place = resolveInRoot(root, '/absolute/new', { followFinal: false });
    fs.mkdirSync(place.place);
    place[Symbol.dispose]();
    expect(fs.statSync(path.join(root, 'etc/new')).isDirectory()).toBe(true);
    fs.rmdirSync(path.join(root, 'etc/new'));
    const top = resolveInRoot(root, '/', { followFinal: false });
    expect(fs.lstatSync(top.place).ino).toBe(fs.statSync(root).ino);
    top[Symbol.dispose]();
  });

  it('a missing root is an error', () => {
    expect(() => resolveInRoot(path.join(scratch, 'none'), '/', { followFinal: true })).toThrow(
      expect.objectContaining({ errno: 'ENOENT' }),
    );
  });
});

describe('openInRoot', () => {
  it('makes the missing target of a link inside', () => {
    fs.symlinkSync('/made', path.join(root, 'to-made'));
    const flags = fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY;
    fs.closeSync(openInRoot(root, 'to-made', { flags, mode: 0o640, followFinal: true }));
    expect(fs.statSync(path.join(root, 'made')).mode & 0o777).toBe(0o640);
    fs.rmSync(path.join(root, 'made'));
  });

  it('opens folders, and the root itself', () => {
    for (const [from, to] of [
      ['lib', 'usr/lib'],
      ['/', ''],
    ] as const) {
      const fd = openInRoot(root, from, { flags: fs.constants.O_DIRECTORY, followFinal: true });
      expect(fs.fstatSync(fd).ino).toBe(fs.statSync(path.join(root, to)).ino);
      fs.closeSync(fd);
    }
  });

  it('refuses a final link that is not to be followed', () => {
    expect(() => openInRoot(root, 'etc/shadow', { followFinal: false })).toThrow(
      expect.objectContaining({ errno: 'ELOOP' }),
    );
  });

  it('does not wait at a FIFO', () => {
    const place = path.join(root, 'etc/fifo');
    makeFifo(place);
    fs.closeSync(openInRoot(root, 'etc/fifo', { followFinal: true }));
    fs.rmSync(place);
  });
});

describe('readFileInRoot', () => {
  const read = (from: string, limit = 100): string | undefined => readFileInRoot(root, from, limit)?.toString();

  it.each([
    ['a file', 'etc/passwd', 'inside'],
    ['through an absolute link', 'etc/shadow', 'inside'],
    ['nothing where there is none', 'etc/none', undefined],
    ['nothing by a link that leads out', 'leak/passwd', undefined],
    ['nothing below a file', 'etc/passwd/x', undefined],
  ])('reads %s', (_name, from, expected) => expect(read(from)).toBe(expected));

  it('takes a file of just the limit, and refuses one above', () => {
    expect(read('etc/passwd', 6)).toBe('inside');
    expect(() => read('etc/passwd', 5)).toThrow(expect.objectContaining({ errno: 'EFBIG' }));
  });

  it('refuses folders, FIFOs and loops', () => {
    const place = path.join(root, 'etc/group');
    makeFifo(place);
    for (const [from, errno] of [
      ['etc', 'EISDIR'],
      ['etc/group', 'EINVAL'],
      ['loop', 'ELOOP'],
    ] as const) {
      expect(() => read(from)).toThrow(expect.objectContaining({ errno }));
    }
    fs.rmSync(place);
  });
});

describe('makeDirsInRoot', () => {
  const make = (target: string): string[] => makeDirsInRoot(root, target, { mode: 0o751 }).map(String);
  const clear = (...names: readonly string[]): void => {
    for (const name of names) fs.rmSync(path.join(root, name), { recursive: true });
  };

  it('makes what is missing, with the mode whatever the umask, and tells it', () => {
    const before = process.umask(0o077);
    expect(make('/etc/one/two')).toEqual(['etc/one', 'etc/one/two']);
    process.umask(before);
    expect(fs.statSync(path.join(root, 'etc/one/two')).mode & 0o7777).toBe(0o751);
    expect(make('etc/one/two')).toEqual([]);
    clear('etc/one');
  });

  it('goes through links, absolute ones inside', () => {
    expect(make('absolute/one')).toEqual(['etc/one']);
    expect(make('lib/../two')).toEqual(['usr/two']);
    clear('etc/one', 'usr/two');
  });

  it('makes the missing targets of links inside', () => {
    expect(make('dangling/x')).toEqual(['nowhere', 'nowhere/at', 'nowhere/at/all', 'nowhere/at/all/x']);
    make('leak/deep');
    expect(fs.readdirSync(outside)).toEqual(['passwd']);
    clear('nowhere', scratch.split('/')[1] ?? '');
  });

  it('makes more folders than there may be links', () => {
    expect(make(`many/${'x/'.repeat(100)}`)).toHaveLength(101);
    clear('many');
  });

  it('makes nothing of the root', () => expect(make('/')).toEqual([]));

  it('refuses a file in the way', () => {
    expect(() => make('etc/passwd')).toThrow(expect.objectContaining({ errno: 'ENOTDIR' }));
    expect(() => make('etc/passwd/x')).toThrow(expect.objectContaining({ errno: 'ENOTDIR' }));
  });

  asRoot('gives them their owner', () => {
    makeDirsInRoot(root, 'usr/own/ed', { mode: 0o2755, uid: 33, gid: 44 });
    const stats = fs.statSync(path.join(root, 'usr/own/ed'));
    expect([stats.uid, stats.gid, stats.mode & 0o7777]).toEqual([33, 44, 0o2755]);
    expect(fs.statSync(path.join(root, 'usr')).uid).toBe(0);
    clear('usr/own');
  });
});

describe('while another process swaps folders for links that lead out', () => {
  it('nothing outside is read or made', async () => {
    const [spot, aside] = [path.join(root, 'spot'), path.join(root, 'aside')];
    fs.mkdirSync(spot);
    fs.writeFileSync(path.join(spot, 'passwd'), 'inside');
    // Relative, so that it would lead out if it were ever followed by the kernel.
    const swapper = `const fs = require('node:fs'); const { workerData: [spot, aside, stop] } = require('node:worker_threads');
      const flag = new Int32Array(stop);
      const tried = (action) => { try { action(); return true; } catch { return false; } };
      const clear = () => tried(() => fs.rmSync(spot, { recursive: true, force: true }));
      while (Atomics.load(flag, 0) === 0) {
        fs.renameSync(spot, aside);
        if (tried(() => fs.symlinkSync('../outside', spot))) Atomics.add(flag, 1, 1);
        do clear(); while (!tried(() => fs.renameSync(aside, spot))); // the other side may have made it anew
      }`;
    const flag = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(swapper, { eval: true, workerData: [spot, aside, flag.buffer] });
    while (Atomics.load(flag, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const seen = new Set<string>();
    for (let turn = 0; turn < 3000; turn++) {
      seen.add(attempt(() => String(readFileInRoot(root, 'spot/passwd', 100))));
      attempt(() => String(makeDirsInRoot(root, `spot/made-${turn % 7}`, { mode: 0o755 })));
    }
    Atomics.store(flag, 0, 1);
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(seen.has('inside')).toBe(true);
    expect([...seen].filter((each) => !/^(inside|undefined|E[A-Z]+)$/.test(each))).toEqual([]);
    expect(fs.readdirSync(outside)).toEqual(['passwd']);
  });
});

function attempt(action: () => string): string {
  try {
    return action();
  } catch (error) {
    return (error as { readonly errno: string }).errno;
  }
}

function makeFifo(place: string): void {
  loadSyscalls().mknod(place, 0o010_600, 0, 0);
}
