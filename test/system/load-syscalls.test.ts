import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadSyscalls, mountFlags, umountFlags } from '../../src/system/index.ts';
import { asRoot, scratchFolder } from './scratch.ts';

const syscalls = loadSyscalls();
const scratch = scratchFolder();
const at = (name: string): string => path.join(scratch, name);

beforeAll(() => {
  fs.writeFileSync(at('file'), 'x');
  fs.symlinkSync('file', at('link'));
  fs.symlinkSync('nowhere', at('dangling'));
});
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

describe('setTimes', () => {
  const cases: readonly (readonly [string, bigint])[] = [
    ['keeps every nanosecond', 1_700_000_000_123_456_789n],
    ['takes the beginning', 0n],
    ['takes times before 1970 with a fraction', -1_500_000_001n],
    ['takes times after 2106', 5_000_000_000_000_000_001n],
  ];
  it.each(cases)('%s', (_name, ns) => {
    syscalls.setTimes(at('file'), ns, ns);
    const stat = fs.lstatSync(at('file'), { bigint: true });
    expect([stat.mtimeNs, stat.atimeNs]).toEqual([ns, ns]);
  });

  it('sets those of a link, not of its target', () => {
    syscalls.setTimes(at('file'), 1n, 1n);
    syscalls.setTimes(at('link'), 2_000_000_003n, 2_000_000_003n);
    expect(fs.lstatSync(at('link'), { bigint: true }).mtimeNs).toBe(2_000_000_003n);
    expect(fs.statSync(at('link'), { bigint: true }).mtimeNs).toBe(1n);
  });
});

describe('extended attributes', () => {
  it('are written, read, listed and removed', () => {
    syscalls.setXattr(at('file'), 'user.one', Buffer.from([0, 1, 255]));
    syscalls.setXattr(at('file'), 'user.two', Buffer.alloc(0));
    expect(syscalls.getXattr(at('file'), 'user.one')).toEqual(Buffer.from([0, 1, 255]));
    expect(syscalls.getXattr(at('file'), 'user.two')).toEqual(Buffer.alloc(0));
    expect([...syscalls.listXattrs(at('file'))].sort()).toEqual(['user.one', 'user.two']);
    syscalls.removeXattr(at('file'), 'user.one');
    syscalls.removeXattr(at('file'), 'user.two');
    expect(syscalls.listXattrs(at('file'))).toEqual([]);
  });

  it('read as undefined where there is none', () => {
    expect(syscalls.getXattr(at('file'), 'user.none')).toBeUndefined();
  });

  it('read as undefined where the file system has none', () => {
    expect(syscalls.getXattr('/proc/self/status', 'user.none')).toBeUndefined();
    expect(syscalls.listXattrs('/proc/self/status')).toEqual([]);
  });

  it('removed twice give ENODATA', () => {
    expect(() => syscalls.removeXattr(at('file'), 'user.none')).toThrow(
      expect.objectContaining({ code: 'SYSCALL_FAILED', errno: 'ENODATA' }),
    );
  });

  it('of the user space are refused on a link rather than set on its target', () => {
    expect(() => syscalls.setXattr(at('link'), 'user.one', Buffer.from('x'))).toThrow(
      expect.objectContaining({ errno: 'EPERM' }),
    );
    expect(syscalls.getXattr(at('file'), 'user.one')).toBeUndefined();
  });

  asRoot('live on a link itself, dangling or not', () => {
    for (const name of ['link', 'dangling']) {
      syscalls.setXattr(at(name), 'trusted.slipway', Buffer.from(name));
      expect(syscalls.getXattr(at(name), 'trusted.slipway')).toEqual(Buffer.from(name));
      expect(syscalls.listXattrs(at(name))).toEqual(['trusted.slipway']);
    }
    expect(syscalls.getXattr(at('file'), 'trusted.slipway')).toBeUndefined();
  });
});

describe('mknod', () => {
  it('makes a FIFO', () => {
    syscalls.mknod(at('fifo'), 0o010_640, 0, 0);
    expect(fs.lstatSync(at('fifo')).isFIFO()).toBe(true);
  });

  asRoot.each([
    ['the null device', 1, 3],
    ['a whiteout', 0, 0],
    ['a minor number above 255', 8, 300],
    ['the largest numbers', 4095, 1_048_575],
  ] as const)('makes %s', (_name, major, minor) => {
    const node = at(`device-${major}-${minor}`);
    syscalls.mknod(node, 0o020_600, major, minor);
    const stat = fs.lstatSync(node, { bigint: true });
    const decoded = [(stat.rdev >> 8n) & 0xfffn, (stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n)];
    expect([stat.isCharacterDevice(), ...decoded]).toEqual([true, BigInt(major), BigInt(minor)]);
  });

  it('does not replace what is there, not even a dangling link', () => {
    expect(() => syscalls.mknod(at('dangling'), 0o010_600, 0, 0)).toThrow(expect.objectContaining({ errno: 'EEXIST' }));
  });
});

describe('paths', () => {
  it('may be bytes that are no UTF-8', () => {
    const name = Buffer.concat([Buffer.from(`${scratch}/`), Buffer.from([0xff, 0xfe, 0x80])]);
    syscalls.mknod(name, 0o010_600, 0, 0);
    syscalls.setTimes(name, 7n, 7n);
    expect(fs.lstatSync(name, { bigint: true }).mtimeNs).toBe(7n);
  });

  it('with a NUL are refused, not cut', () => {
    for (const name of [`${at('file')}\0x`, Buffer.from(`${at('file')}\0x`)]) {
      expect(() => syscalls.getXattr(name, 'user.x')).toThrow(expect.objectContaining({ errno: 'EINVAL' }));
    }
    expect(() => syscalls.getXattr(at('file'), 'user.x\0y')).toThrow(expect.objectContaining({ errno: 'EINVAL' }));
  });

  it('are named in errors, with the call and with control characters escaped', () => {
    expect(() => syscalls.getXattr('/none/\u001b[31m\u009b', 'user.x')).toThrow(
      expect.objectContaining({ message: 'lgetxattr "/none/\\u001b[31m\\u009b": ENOENT', code: 'SYSCALL_FAILED' }),
    );
  });
});

describe('the other calls', () => {
  it('syncfs writes out, and refuses what is no file', () => {
    const fd = fs.openSync(at('file'), 'r');
    syscalls.syncfs(fd);
    fs.closeSync(fd);
    expect(() => syscalls.syncfs(99_999)).toThrow(expect.objectContaining({ errno: 'EBADF' }));
  });

  it('umount of what is not mounted fails', () => {
    const missing = at('missing');
    expect(() => syscalls.umount(missing, 0)).toThrow(expect.objectContaining({ code: 'SYSCALL_FAILED' }));
  });

  asRoot('a worker mounts in a namespace of its own and changes its own directory', async () => {
    fs.mkdirSync(at('mounted'));
    const seen = await inWorker(`
      const s = loadSyscalls();
      s.unshare(${0x20000 | 0x200});
      s.mount('none', '/', null, ${mountFlags.recursive | mountFlags.private}, null);
      s.mount('none', ${JSON.stringify(at('mounted'))}, 'tmpfs', ${mountFlags.noSuid}, 'size=64k');
      s.chdir(${JSON.stringify(at('mounted'))});
      fs.writeFileSync('inside', 'x');
      const names = fs.readdirSync(${JSON.stringify(at('mounted'))});
      s.chdir('/');
      s.umount(${JSON.stringify(at('mounted'))}, ${umountFlags.detach | umountFlags.noFollow});
      parentPort.postMessage([names, fs.readdirSync(${JSON.stringify(at('mounted'))})]);
    `);
    expect(seen).toEqual([['inside'], []]);
    expect(fs.readdirSync(at('mounted'))).toEqual([]);
  });
});

function inWorker(body: string): Promise<unknown> {
  const module = new URL('../../src/system/index.ts', import.meta.url).href;
  const source = `import { loadSyscalls } from ${JSON.stringify(module)};
    import fs from 'node:fs'; import { parentPort } from 'node:worker_threads'; ${body}`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
