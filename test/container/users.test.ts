import { afterAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveOwner, resolveUser } from '../../src/container/index.ts';
import { findOwner, findUser } from '../../src/container/users.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
app:x:1000:1001:App:/home/app:/bin/sh
bare:x:1002:1002:::
1000:x:0:0:a name that is a number:/evil:/bin/sh
broken:x:none:0::/:
huge:x:4294967296:0::/:

  spaced : x : 1005 : 1006 : : /spaced :
`;
const group = `root:x:0:
app:x:1001:
wheel:x:10:root,app
video:x:44:app
app2:x:1001:app
0044:x:7:
odd:x:y:app
`;

const files = (name: 'passwd' | 'group'): Buffer => Buffer.from(name === 'passwd' ? passwd : group);
const nothing = (): undefined => undefined;

describe('USER', () => {
  it.each([
    ['', 0, 0, [0, 10], '/root'],
    ['root', 0, 0, [0, 10], '/root'],
    ['app', 1000, 1001, [1001, 10, 44], '/home/app'],
    ['1000', 1000, 1001, [1001, 10, 44], '/home/app'],
    ['app:video', 1000, 44, [44], '/home/app'],
    ['app:7', 1000, 7, [7], '/home/app'],
    ['1000:0', 1000, 0, [0], '/home/app'],
    ['4242', 4242, 0, [0], '/'],
    ['4242:wheel', 4242, 10, [10], '/'],
    [':wheel', 0, 10, [10], '/root'],
    ['app:0044', 1000, 44, [44], '/home/app'],
    ['bare', 1002, 1002, [1002], '/'],
    ['spaced', 1005, 1006, [1006], '/spaced'],
    ['2147483647', 2147483647, 0, [0], '/'],
  ])('%j is %i:%i', (spec, uid, gid, groups, home) => {
    expect(findUser(files, spec)).toEqual({ uid, gid, groups, home });
  });

  it.each([
    ['nobody', 'USER_NOT_FOUND'],
    ['app:nogroup', 'USER_NOT_FOUND'],
    ['App', 'USER_NOT_FOUND'],
    ['4294967296', 'USER_INVALID'],
    ['2147483648', 'USER_INVALID'],
    ['-1', 'USER_INVALID'],
    ['app:4294967296', 'USER_INVALID'],
    ['broken', 'USER_INVALID'],
    ['huge', 'USER_INVALID'],
    ['app:odd', 'USER_INVALID'],
    ['a:b:c', 'USER_INVALID'],
  ])('%j fails with %s', (spec, code) => {
    expect(() => findUser(files, spec)).toThrow(expect.objectContaining({ code }));
  });

  it('needs no files for numbers and for the default', () => {
    expect(findUser(nothing, '')).toEqual({ uid: 0, gid: 0, groups: [0], home: '/' });
    expect(findUser(nothing, '5:6')).toEqual({ uid: 5, gid: 6, groups: [6], home: '/' });
  });
});

describe('--chown', () => {
  it.each([
    ['1000', 1000, 1000],
    ['4242', 4242, 4242],
    ['app', 1000, 1001],
    ['app:video', 1000, 44],
    ['1000:wheel', 1000, 10],
    [':wheel', 0, 10],
    ['0:0', 0, 0],
  ])('%j is %i:%i', (spec, uid, gid) => {
    expect(findOwner(files, spec)).toEqual({ uid, gid });
  });

  it.each(['nobody', ':nogroup', 'app:nogroup'])('%j is not found', (spec) => {
    expect(() => findOwner(files, spec)).toThrow(expect.objectContaining({ code: 'USER_NOT_FOUND' }));
  });
});

describe('passwd and group of a hostile root', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'slipway-users-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  let count = 0;
  const rootWith = (make: (etc: string) => void): string => {
    const root = join(scratch, String(count++));
    mkdirSync(join(root, 'etc'), { recursive: true });
    make(join(root, 'etc'));
    return root;
  };

  it('follows a link inside the root only', () => {
    const secret = join(scratch, 'secret');
    writeFileSync(secret, 'spy:x:66:66::/:\n');
    const root = rootWith((etc) => symlinkSync(secret, join(etc, 'passwd')));
    expect(() => resolveUser(root, 'spy')).toThrow(expect.objectContaining({ code: 'USER_NOT_FOUND' }));
  });

  it('does not wait for a FIFO', () => {
    const root = rootWith((etc) => execFileSync('mkfifo', [join(etc, 'group')]));
    expect(() => resolveOwner(root, ':wheel')).toThrow(expect.objectContaining({ code: 'USER_INVALID' }));
  });

  it('does not read a file above 10 MiB', () => {
    const root = rootWith((etc) => {
      writeFileSync(join(etc, 'passwd'), '');
      truncateSync(join(etc, 'passwd'), 10 * 1024 * 1024 + 1);
    });
    expect(() => resolveUser(root, 'root')).toThrow(expect.objectContaining({ code: 'USER_INVALID' }));
  });
});
