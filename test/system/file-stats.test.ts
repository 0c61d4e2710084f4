import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileStats, loadSyscalls, statIn, tellsEveryChange } from '../../src/system/index.ts';

let folder: string;
let fd: number;

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slipway-stats-'));
  fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
});

afterAll(() => {
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
});

const at = (name: string): Buffer => Buffer.from(`${folder}/${name}`, 'latin1');

describe('the stats of a file', () => {
  const made: readonly [what: string, name: string, make: (path: Buffer) => void][] = [
    ['a file', 'f', (file) => fs.writeFileSync(file, 'content')],
    ['a folder', 'd', (file) => fs.mkdirSync(file)],
    ['a link', 'l', (file) => fs.symlinkSync('nowhere', file)],
    ['a name that is not UTF-8', '\xe9', (file) => fs.writeFileSync(file, '')],
    ['the longest name', 'n'.repeat(255), (file) => fs.writeFileSync(file, '')],
    ['a time before 1970', 'old', (file) => (fs.writeFileSync(file, ''), fs.utimesSync(file, -1.5, -1.5))],
    ['a time after 2106', 'far', (file) => (fs.writeFileSync(file, ''), fs.utimesSync(file, 5e9, 5e9))],
  ];

  it.each(made)('are the same through its folder and by its path: %s', (_what, name, make) => {
    make(at(name));
    const stats = statIn(fd, name);
    expect(stats).toEqual(FileStats.of(at(name)));
    const known = fs.lstatSync(at(name), { bigint: true });
    expect(
      [stats?.ino, stats?.dev, stats?.mode, stats?.size, stats?.nlink].map((value) => BigInt(value ?? -1)),
    ).toEqual([known.ino, known.dev, known.mode, known.size, known.nlink]);
    const time = (sec = 0, nsec = 0) => BigInt(sec) * 1_000_000_000n + BigInt(nsec);
    expect(time(stats?.mtimeSec, stats?.mtimeNsec)).toBe(known.mtimeNs);
    expect(time(stats?.ctimeSec, stats?.ctimeNsec)).toBe(known.ctimeNs);
  });

  it.each([
    ['nothing', 'nothing'],
    ['a name with a NUL', 'f\0'],
    ['a name that is too long', 'n'.repeat(256)],
  ])('are those of %s: none', (_what, name) => {
    let found: unknown;
    try {
      found = statIn(fd, name);
    } catch (error) {
      found = (error as NodeJS.ErrnoException).code;
    }
    expect([undefined, 'ERR_INVALID_ARG_VALUE', 'ENAMETOOLONG']).toContain(found);
  });

  it('are none below what is no folder', () => {
    fs.writeFileSync(at('plain'), '');
    expect(FileStats.of(at('plain/x'))).toBeUndefined();
  });
});

describe('isOpenForWriting', () => {
  it('tells a writer from a reader, and holds nobody up', () => {
    fs.writeFileSync(at('w'), 'x');
    const asked = (): boolean | undefined => {
      const reader = fs.openSync(at('w'), 'r');
      const found = loadSyscalls().isOpenForWriting(reader);
      fs.closeSync(reader);
      return found;
    };
    const nobody = asked();
    if (nobody === undefined) return; // a file system without leases
    const reader = fs.openSync(at('w'), 'r');
    const besideReader = asked();
    loadSyscalls().isOpenForWriting(reader);
    const writer = fs.openSync(at('w'), 'r+'); // would wait for a lease that is held
    const besideWriter = asked();
    fs.closeSync(writer);
    fs.closeSync(reader);
    expect([nobody, besideReader, besideWriter, asked()]).toEqual([false, false, true, false]);
  });

  it('is not known of what has no leases', () => {
    const file = fs.openSync('/proc/self/status', 'r');
    expect(loadSyscalls().isOpenForWriting(file)).not.toBe(true);
    fs.closeSync(file);
  });
});

it('kernel files do not tell every change, and a tmpfs hides what is written through mappings', () => {
  for (const folder of ['/proc', ...(isTmpfs('/dev/shm') ? ['/dev/shm'] : [])])
    expect([folder, tellsEveryChange(folder)]).toEqual([folder, false]);
});

function isTmpfs(folder: string): boolean {
  return fs.existsSync(folder) && fs.statfsSync(folder).type === 0x01021994;
}
