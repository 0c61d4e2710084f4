import { describe, expect, it } from '@jest/globals';
import { currentPrivileges, type ProcessIdentity } from '../../src/system/current-privileges.ts';
import { idMapNumbers, mapOfSubordinates, parseIdMap, parseSubordinateIds } from '../../src/system/id-maps.ts';
import { userNamespaceForbidden } from '../../src/system/user-namespace-forbidden.ts';

describe('parseSubordinateIds', () => {
  const user = { name: 'ann', id: 1000 };
  const cases: readonly (readonly [string, string, readonly (readonly [number, number])[]])[] = [
    ['a line by name', 'ann:100000:65536\n', [[100000, 65536]]],
    ['a line by number', '1000:100000:65536', [[100000, 65536]]],
    [
      'several lines, in their order',
      'ann:300000:5\nbob:1:2\n1000:100000:10\n',
      [
        [300000, 5],
        [100000, 10],
      ],
    ],
    ['lines of others', 'anna:1:2\nann2:1:2\n10000:1:2\n', []],
    ['an empty range', 'ann:100000:0\n', []],
    ['a range beyond the last id', 'ann:4294967290:100\n', []],
    ['nonsense', 'ann:x:y\nann:1\n#ann:1:2\nann:-1:5\nann:1:2:3\n\n', []],
  ];
  it.each(cases)('%s', (_name, text, expected) => expect(parseSubordinateIds(text, user)).toEqual(expected));

  it('a user without a name owns no line with an empty one', () => {
    expect(parseSubordinateIds(':1:2\n', { name: '', id: 7 })).toEqual([]);
  });
});

describe('maps', () => {
  it('have root first and subordinate ids without a gap after it', () => {
    const map = mapOfSubordinates(1000, [
      [100000, 65536],
      [300000, 10],
    ]);
    expect(idMapNumbers(map)).toEqual([
      ['0', '1000', '1'],
      ['1', '100000', '65536'],
      ['65537', '300000', '10'],
    ]);
  });

  it('are read from /proc as the kernel pads them', () => {
    expect(parseIdMap('         0       1000          1\n         1     100000      65536\n')).toEqual(
      mapOfSubordinates(1000, [[100000, 65536]]),
    );
  });
});

describe('currentPrivileges', () => {
  const whole = [{ inside: 0, outside: 0, length: 4_294_967_295 }];
  const one = mapOfSubordinates(1000, []);
  const many = mapOfSubordinates(1000, [[100000, 65536]]);
  const base: ProcessIdentity = {
    uid: 0,
    uidMap: whole,
    gidMap: whole,
    capabilities: (1n << 41n) - 1n,
    inInitialNamespace: true,
  };
  const inside = { ...base, inInitialNamespace: false };

  const cases: readonly (readonly [string, ProcessIdentity, string, string, boolean, number])[] = [
    ['root', base, 'root', 'trusted.overlay.', true, 0],
    ['root without CAP_MKNOD', { ...base, capabilities: 0n }, 'root', 'trusted.overlay.', false, 0],
    ['an ordinary user', { ...base, uid: 1000 }, 'none', 'user.overlay.', false, 1000],
    [
      'root of a namespace with many ids',
      { ...inside, uidMap: many, gidMap: many },
      'mapped',
      'user.overlay.',
      false,
      1000,
    ],
    [
      'root of a namespace with one id',
      { ...inside, uidMap: one, gidMap: one },
      'single',
      'user.overlay.',
      false,
      1000,
    ],
    [
      'one group id is single as well',
      { ...inside, uidMap: many, gidMap: one },
      'single',
      'user.overlay.',
      false,
      1000,
    ],
    ['a namespace with all ids is not the machine', inside, 'mapped', 'user.overlay.', false, 0],
    [
      'an ordinary user of a namespace',
      { ...inside, uid: 5, uidMap: many, gidMap: many },
      'none',
      'user.overlay.',
      false,
      100004,
    ],
  ];
  it.each(cases)('%s', (_name, identity, kind, overlayXattrPrefix, mayMknod, realUid) => {
    expect(currentPrivileges(identity)).toMatchObject({ kind, overlayXattrPrefix, mayMknod, realUid });
  });

  it('tells those of this process', () => {
    expect(currentPrivileges().kind === 'none').toBe(process.getuid?.() !== 0);
  });
});

describe('userNamespaceForbidden', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string, string])[] = [
    [
      'the sysctl of all kernels',
      { '/proc/sys/user/max_user_namespaces': '0\n' },
      'max_user_namespaces is 0',
      'sysctl',
    ],
    ["Debian's sysctl", { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' }, 'userns_clone is 0', 'sysctl'],
    ['AppArmor', { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' }, 'AppArmor', 'profile'],
    ['a container', { '/proc/self/status': 'Name:\tx\nSeccomp:\t2\n' }, 'seccomp', 'security-opt'],
    ['nothing to be seen', { '/proc/sys/user/max_user_namespaces': '10\n' }, 'the kernel refuses', 'run as root'],
  ];
  it.each(cases)('names %s and what to do', (_name, files, cause, remedy) => {
    const error = userNamespaceForbidden('unshare: no\n', (file) => files[file]);
    expect(error).toMatchObject({
      code: 'USER_NAMESPACE_FORBIDDEN',
      message: expect.stringContaining(cause),
      hint: expect.stringContaining(remedy),
      details: ['unshare: no'],
    });
  });
});
