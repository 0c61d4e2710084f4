import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { bootId, isNetworkFileSystem, ProcessLock, processStartTime } from '../../src/system/index.ts';
import { networkFuseAt } from '../../src/system/network-file-system.ts';
import { scratchFolder } from './scratch.ts';

let dir: string;
beforeEach(() => {
  dir = scratchFolder();
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Runs a module of this room in another process until it has written a line. */
async function inProcess(body: string): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const module = new URL('../../src/system/index.ts', import.meta.url).href;
  const source = `import { ProcessLock } from ${JSON.stringify(module)}; const dir = ${JSON.stringify(dir)}; ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, line: chunk.toString().trim() };
}

const holdLock = 'const lock = ProcessLock.acquire(dir); console.log(lock.uuid); setInterval(() => lock.uuid, 1000);';

describe('ProcessLock', () => {
  it('is alive until it is closed, and cannot be taken meanwhile', () => {
    const lock = ProcessLock.acquire(dir);
    expect(ProcessLock.isAlive(dir, lock.uuid)).toBe(true);
    expect(ProcessLock.reapable(dir)).toEqual([]);
    expect(ProcessLock.take(dir, lock.uuid)).toBeUndefined();
    lock.close();
    expect(ProcessLock.isAlive(dir, lock.uuid)).toBe(false);
    expect(ProcessLock.reapable(dir)).toEqual([lock.uuid]);
  });

  it('stays held by this process after it was looked at from it', async () => {
    const lock = ProcessLock.acquire(dir);
    for (let times = 0; times < 3; times++) {
      ProcessLock.isAlive(dir, lock.uuid);
      ProcessLock.describe(dir, lock.uuid);
      ProcessLock.take(dir, lock.uuid);
    }
    const { line } = await inProcess(`console.log(ProcessLock.isAlive(dir, '${lock.uuid}'));`);
    expect(line).toBe('true');
    lock.close();
  });

  it('of a process killed by SIGKILL is dead at once', async () => {
    const { child, line: uuid } = await inProcess(holdLock);
    expect(ProcessLock.isAlive(dir, uuid)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(ProcessLock.reapable(dir)).toEqual([uuid]);
  });

  it('says who holds it, while it is held', async () => {
    const { child, line: uuid } = await inProcess(holdLock);
    const startTime = processStartTime(child.pid ?? 0);
    expect(ProcessLock.describe(dir, uuid)).toEqual({ pid: child.pid, startTime, bootId: bootId() });
  });

  it('of the dead is taken by one reaper at a time and goes when it is removed', () => {
    const lock = ProcessLock.acquire(dir);
    lock.close();
    const first = ProcessLock.take(dir, lock.uuid);
    expect(ProcessLock.take(dir, lock.uuid)).toBeUndefined();
    first?.remove();
    expect(ProcessLock.take(dir, lock.uuid)).toBeUndefined();
    expect(ProcessLock.isAlive(dir, lock.uuid)).toBe(false);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it('survives reapers that run while it is made', async () => {
    const reap = `console.log('on'); for (;;) for (const uuid of ProcessLock.reapable(dir)) ProcessLock.take(dir, uuid)?.remove();`;
    await Promise.all([inProcess(reap), inProcess(reap)]);
    const locks = Array.from({ length: 60 }, () => ProcessLock.acquire(dir));
    expect(locks.filter((lock) => !ProcessLock.isAlive(dir, lock.uuid))).toEqual([]);
    for (const lock of locks) lock.close();
  });

  it.each([
    ['is empty', ''],
    ['is torn', 'SQLite format 3\0 and no more of it'.padEnd(600, '?')],
  ])('whose file %s is dead, and can be cleared away', (_name, content) => {
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    fs.writeFileSync(path.join(dir, `${uuid}.db`), content);
    expect(ProcessLock.reapable(dir)).toEqual([uuid]);
    ProcessLock.take(dir, uuid)?.remove();
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it('that was never finished is cleared away', () => {
    fs.writeFileSync(path.join(dir, '01234567-89ab-cdef-0123-456789abcdef.new'), '');
    expect(ProcessLock.reapable(dir)).toEqual([]);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it('that is not there is dead, and its name is no path', () => {
    fs.writeFileSync(path.join(dir, 'outside.db'), '');
    for (const uuid of ['01234567-89ab-cdef-0123-456789abcdef', 'outside', '../x']) {
      expect(ProcessLock.isAlive(dir, uuid)).toBe(false);
    }
    expect(ProcessLock.reapable(`${dir}/missing`)).toEqual([]);
  });
});

describe('processStartTime', () => {
  it('is a number for a living process and nothing for none', () => {
    expect(processStartTime(process.pid)).toMatch(/^\d+$/);
    expect(processStartTime(2 ** 30)).toBeUndefined();
  });
});

describe('isNetworkFileSystem', () => {
  it('lets local folders pass', () => expect(isNetworkFileSystem(dir)).toBeUndefined());

  const mountinfo = [
    '1 0 0:1 / / rw - ext4 /dev/sda1 rw',
    '2 1 0:2 / /home/my\\040files rw - fuse.sshfs host: rw',
    '3 1 0:3 / /home/local rw - fuse.fuse-overlayfs x rw',
  ].join('\n');
  it.each([
    ['sshfs, with a space in its place', '/home/my files/store', 'fuse.sshfs'],
    ['a local FUSE', '/home/local/store', undefined],
    ['what only begins alike', '/home/my files2', undefined],
  ])('tells %s', (_name, folder, expected) => expect(networkFuseAt(folder, mountinfo)).toBe(expected));
});
