import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { type ApplyOptions, applyLayer, type WhiteoutForm } from '../../src/layer/index.ts';
import { isRoot, listTree, rootPrivileges, scratch } from './scratch.ts';
import {
  base256,
  dir,
  end,
  file,
  hardlink,
  header,
  pax,
  paxBody,
  type RawHeader,
  symlink,
  tar,
} from './tar-builder.ts';

/** What must be there afterwards (lines start with one of these), or the code of the error. */
type Outcome = readonly string[] | { readonly code: string };

type Case = readonly [rule: string, layer: Buffer, outcome: Outcome, options?: Partial<ApplyOptions>];

const unsafe = { code: 'UNSAFE_ENTRY' };
const invalid = { code: 'INVALID_TAR' };
const long = 'n'.repeat(200);
const nested = `${'d/'.repeat(2000)}f`;
const sparse10 = (realSize: string, map: string): (RawHeader | Buffer)[] => [
  pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': realSize }),
  header({ name: 'GNUSparseFile/s', content: `${map}${'\0'.repeat(512 - map.length)}abc` }),
];

const cases: readonly Case[] = [
  // Names: nothing leads out of the root.
  ['01 ../ is clamped at the root', tar(file('../../canary', 'evil')), ['canary 644']],
  ['02 an absolute name lies below the root', tar(file('/canary', 'evil')), ['canary 644']],
  ['02b // and /./ fall away', tar(file('//a//./b', 'x')), ['a 755', 'a/b 644']],
  ['21 a/../../x is clamped too', tar(file('a/../../canary', 'evil')), ['canary 644']],
  [
    '21b .. after a link goes up from where the link leads',
    tar(symlink('l', '../../../..'), file('l/canary', 'evil')),
    ['canary 644', 'l '],
  ],
  ['21c a/../b is b, and a is not made', tar(file('a/../b')), ['b 644']],
  ['28 the root may be given its mode', tar(dir('./', { mode: 0o711 }), file('a')), ['a 644']],
  ['28b an empty name as a file', tar(file('')), unsafe],
  ['28c .. as a file', tar(file('..')), unsafe],
  // Links on the way.
  [
    '03 an absolute link is taken inside the root',
    tar(symlink('l', '/tmp'), file('l/canary')),
    ['l ', 'tmp 755', 'tmp/canary 644'],
  ],
  ['04 a relative link stops at the root', tar(symlink('l', '../../..'), file('l/canary')), ['canary 644', 'l ']],
  ['05 a link to a link', tar(symlink('a', 'b'), symlink('b', '../..'), file('a/canary')), ['a ', 'b ', 'canary 644']],
  [
    '06 a file replaces a link and is not written through it',
    tar(file('t', 'old'), symlink('l', 't'), file('l', 'new')),
    ['l 644 0:0 file "new"3', 't 644 0:0 file "old"3'],
  ],
  [
    '10 a folder entry replaces a link',
    tar(symlink('l', '/'), dir('l'), file('l/canary')),
    ['l 755 0:0 dir', 'l/canary 644'],
  ],
  ['16d links that go round end in an error', tar(symlink('a', 'b'), symlink('b', 'a'), file('a/x')), unsafe],
  [
    '16e a chain of 41 links',
    tar(...Array.from({ length: 42 }, (_, i) => symlink(`l${i}`, `l${i + 1}`)), file('l0/x')),
    unsafe,
  ],
  ['45 a file is no parent', tar(file('f'), file('f/x')), unsafe],
  ['45b a link text is kept as written', tar(symlink('l', '../../etc/passwd')), ['l 777 0:0 -> ../../etc/passwd']],
  // Replacing.
  [
    '18b a file replaces a FIFO without opening it',
    tar({ name: 'p', type: '6' }, file('p', 'new')),
    ['p 644 0:0 file "new"3'],
  ],
  [
    '25 a file replaces a folder with all in it',
    tar(dir('d'), file('d/x'), file('d', 'new')),
    ['d 644 0:0 file "new"3'],
  ],
  ['25b a folder replaces a file', tar(file('d'), dir('d'), file('d/x')), ['d 755', 'd/x 644']],
  [
    '25c a folder over a folder keeps what is in it',
    tar(dir('d'), file('d/x'), dir('d', { mode: 0o700 })),
    ['d 700', 'd/x 644'],
  ],
  ['25d the last of two files wins', tar(file('f', 'old'), file('f', 'new')), ['f 644 0:0 file "new"3']],
  // Hard links.
  [
    '07 a hard link out of the root is looked up inside',
    tar(hardlink('h', '../../../canary')),
    { code: 'LINK_TARGET_MISSING' },
  ],
  [
    '08 an absolute target lies below the root',
    tar(file('t', 'in'), hardlink('h', '/t')),
    ['h 644 0:0 file "in"2', 't 644 0:0 same as h'],
  ],
  ['08b a hard link to itself keeps the file', tar(file('t', 'in'), hardlink('t', 't')), ['t 644 0:0 file "in"2']],
  [
    '09 through a link that leads out',
    tar(symlink('l', '../..'), hardlink('h', 'l/canary')),
    { code: 'LINK_TARGET_MISSING' },
  ],
  [
    '35 a hard link to a symbolic link links the link',
    tar(symlink('l', '/etc/passwd'), hardlink('h', 'l')),
    ['h 777 0:0 -> /etc/passwd', 'l 777 0:0 -> /etc/passwd'],
  ],
  ['35b to a folder', tar(dir('d'), hardlink('h', 'd')), unsafe],
  ['35c to the root', tar(hardlink('h', '/')), unsafe],
  ['44 before its target comes', tar(hardlink('h', 't'), file('t')), { code: 'LINK_TARGET_MISSING' }],
  // Whiteouts.
  ['11 .wh... would delete the parent', tar(file('d/.wh...')), unsafe],
  ['11b .wh.. would delete the folder', tar(file('d/.wh..')), unsafe],
  ['14 .wh. deletes nothing', tar(file('.wh.')), unsafe],
  ['47 something inside a whiteout', tar(file('.wh.d/x')), unsafe],
  [
    '12 a whiteout through a link stays inside',
    tar(symlink('l', '../..'), file('l/.wh.canary', '')),
    ['canary 0 0:0 special 0', 'l '],
    { lowers: ['/'] },
  ],
  ['13 a whiteout after its file leaves the file', tar(file('f'), file('.wh.f', '')), ['f 644']],
  ['15 files of aufs are left out', tar(file('.wh..wh.plnk/1.2'), file('.wh..wh.aufs')), []],
  // The root as something else.
  ['16 the root as a link', tar(symlink('./', '/tmp')), unsafe],
  ['16b the root as a file', tar(file('.')), unsafe],
  ['16c the root as a hard link', tar(hardlink('/', 'x')), unsafe],
  // Devices.
  ['17 a device', tar({ name: 'null', type: '3', mode: 0o666, major: 1, minor: 3 }), ['null 666 0:0 special 259']],
  [
    '17b without the right to make devices it is left out',
    tar({ name: 'null', type: '3', major: 1, minor: 3 }),
    [],
    { privileges: { ...rootPrivileges, mayMknod: false } },
  ],
  ['48 the device 0:0 would be a deletion', tar({ name: 'f', type: '3', major: 0, minor: 0 }), unsafe],
  ['18 a FIFO', tar({ name: 'p', type: '6', mode: 0o600 }), ['p 600 0:0 special 0']],
  // Owners and modes.
  [
    '19 setuid outlives the change of owner',
    tar(file('s', 'x', { mode: 0o4755, uid: 1000, gid: 1000 })),
    ['s 4755 1000:1000'],
  ],
  ['30 uid 2^32-1 means "unchanged"', tar(file('f', 'x', { uid: base256(2n ** 32n - 1n, 8) })), invalid],
  ['30b a huge gid', tar(file('f', 'x', { gid: base256(2n ** 40n, 8) })), invalid],
  ['30c a negative uid', tar(file('f', 'x', { uid: base256(-1n, 8) })), invalid],
  ['30d a device number out of range', tar({ name: 'd', type: '4', major: base256(70000n, 8), minor: 0 }), invalid],
  ['30e the largest uid', tar(file('f', 'x', { uid: base256(2n ** 32n - 2n, 8) })), ['f 644 4294967294:0']],
  // PAX.
  ['22 NUL in a path', tar(pax({ path: 'a\0b' }), file('f')), invalid],
  ['22b a length that is too short', tar(paxBody('8 path=ab\n'), file('f')), invalid],
  ['22c a length beyond the end', tar(paxBody('99 path=ab\n'), file('f')), invalid],
  ['22d a length that is no number', tar(paxBody('x path=ab\n'), file('f')), invalid],
  ['22e no equals sign', tar(paxBody('7 path\n'), file('f')), invalid],
  ['22f an empty key', tar(paxBody('6 =ab\n'), file('f')), invalid],
  ['22g two PAX headers for one entry', tar(pax({ path: 'a' }), pax({ path: 'b' }), file('f')), invalid],
  ['23 a negative size', tar(pax({ size: '-1' }), file('f')), invalid],
  ['23b a huge size', tar(pax({ size: '99999999999999999999' }), file('f')), invalid],
  ['23c a negative size in base-256', tar(file('f', '', { size: base256(-512n, 12) })), invalid],
  [
    '23d a size in PAX does not count for a long name that follows',
    tar(pax({ size: '2' }), paxBody('longname\0', 'L'), file('f', 'ab')),
    ['longname 644 0:0 file "ab"2'],
  ],
  ['31c a PAX header of more than 1 MiB', tar({ name: 'x', type: 'x', size: 2 ** 21 }), { code: 'TOO_LARGE' }],
  ['31d a path of more than 64 KiB', tar(pax({ path: 'p'.repeat(70_000) }), file('f')), { code: 'TOO_LARGE' }],
  ['31e a PAX header without an entry', tar(pax({ path: 'a' })), invalid],
  ['31f a wrong checksum', tar(file('f', 'x', { checksum: 1 })), invalid],
  // Sparse files.
  ['24 a sparse file that says 1 EiB', tar(...sparse10(String(2 ** 60), '1\n0\n3\n')), invalid],
  ['24a one of 1 PiB is more than is allowed', tar(...sparse10(String(2 ** 50), '1\n0\n3\n')), { code: 'TOO_LARGE' }],
  ['24b a map with two million pieces', tar(...sparse10('10', '2000000\n')), { code: 'TOO_LARGE' }],
  ['24c pieces that overlap', tar(...sparse10('10', '2\n0\n2\n1\n1\n')), invalid],
  ['24d pieces beyond the end', tar(...sparse10('2', '1\n0\n3\n')), invalid],
  ['24e a good one', tar(...sparse10('6', '1\n2\n3\n')), ['s 644 0:0 file "\\u0000\\u0000abc\\u0000"6']],
  // Names that are odd but allowed.
  ['26 bytes that are not UTF-8', tar(file(Buffer.from([0x66, 0xff, 0xfe]))), ['f\xff\xfe 644']],
  ['27 control characters', tar(file('a\x1b[31m\nb')), ['a\x1b[31m\nb 644']],
  ['29 a component of 300 bytes', tar(pax({ path: 'n'.repeat(300) }), file('f')), unsafe],
  ['29b 2000 folders deep', tar(pax({ path: nested }), file('f')), { code: 'TOO_LARGE' }],
  ['29c a long name by GNU', tar(paxBody(`${long}\0`, 'L'), file('f')), [`${long} 644`]],
  // The tar's own shape.
  ['31 cut in the middle of a header', tar(file('f')).subarray(0, 300), { code: 'TRUNCATED' }],
  ['31a cut in the middle of content', header(file('f', 'x'.repeat(600))).subarray(0, 700), { code: 'TRUNCATED' }],
  [
    '31a no padding after the last content is taken (umoci insert)',
    header(file('f', 'abc')).subarray(0, 515),
    ['f 644'],
  ],
  ['31a no padding after an extended header', header(pax({ path: 'a' })).subarray(0, -3), { code: 'TRUNCATED' }],
  ['31b no end mark is taken, with a warning', header(file('f')), ['f 644']],
  ['42 an unknown type', tar({ name: 'f', type: 'Z' }), invalid],
  [
    '42a a lone zero block between entries',
    Buffer.concat([header(file('a')), Buffer.alloc(512), tar(file('b'))]),
    invalid,
  ],
  ['42b what follows the end mark does not count', Buffer.concat([tar(file('a')), tar(file('b'))]), ['a 644']],
  ['42c an empty input is an empty layer', Buffer.alloc(0), []],
  // Compression.
  [
    'gzip with two members',
    Buffer.concat([zlib.gzipSync(header(file('a'))), zlib.gzipSync(tar(file('b')))]),
    ['a 644', 'b 644'],
  ],
  [
    'gzip with bytes after it',
    Buffer.concat([zlib.gzipSync(tar(file('a'))), Buffer.from('tail')]),
    { code: 'INVALID_COMPRESSION' },
  ],
  [
    'gzip with zeros after it',
    Buffer.concat([zlib.gzipSync(tar(file('a'))), Buffer.alloc(9)]),
    { code: 'INVALID_COMPRESSION' },
  ],
  ['gzip that is cut', zlib.gzipSync(tar(file('a'))).subarray(0, -9), { code: 'TRUNCATED' }],
  [
    'zstd with two frames',
    Buffer.concat([zlib.zstdCompressSync(header(file('a'))), zlib.zstdCompressSync(tar(file('b')))]),
    ['a 644', 'b 644'],
  ],
  [
    'zstd with bytes after it',
    Buffer.concat([zlib.zstdCompressSync(tar(file('a'))), Buffer.from('tail')]),
    { code: 'INVALID_COMPRESSION' },
  ],
  ['zstd that is cut', zlib.zstdCompressSync(tar(file('a'))).subarray(0, -3), { code: 'TRUNCATED' }],
  ['zstd with a window above 128 MiB', Buffer.from('28b52ffd00b0010000', 'hex'), { code: 'INVALID_COMPRESSION' }],
  ['bzip2 is refused', Buffer.from('BZh91AY&SY'), { code: 'UNSUPPORTED_COMPRESSION' }],
  ['xz is refused', Buffer.from('fd377a585a000004', 'hex'), { code: 'UNSUPPORTED_COMPRESSION' }],
  [
    '10 MiB of zeros against a limit of 1 MiB',
    zlib.gzipSync(tar({ name: 'z', content: Buffer.alloc(10 << 20) })),
    { code: 'TOO_LARGE' },
    { maxSize: 1 << 20 },
  ],
];

const forms: readonly WhiteoutForm[] = ['overlay', 'delete'];
const suite = isRoot ? describe : describe.skip;

async function outcomeOf(
  layer: Buffer,
  options: Partial<ApplyOptions>,
): Promise<{ lines: string[]; outside: string[] } | { code: unknown; outside: string[] }> {
  using place = scratch();
  const root = place.folder('jail/root');
  fs.writeFileSync(path.join(place.path, 'canary'), 'safe');
  const outside = (): string[] => listTree(place.path).filter((line) => !line.startsWith('jail/root/'));
  try {
    // In pieces of odd size, so that every block is cut somewhere.
    const pieces = Array.from({ length: Math.ceil(layer.length / 1000) }, (_, i) =>
      layer.subarray(i * 1000, (i + 1) * 1000),
    );
    await applyLayer(layer.length > 1 << 20 ? [layer] : pieces, root, {
      privileges: rootPrivileges,
      whiteouts: 'overlay',
      ...options,
    });
    return { lines: listTree(root), outside: outside() };
  } catch (error) {
    return { code: (error as { code?: unknown }).code ?? String(error), outside: outside() };
  }
}

suite('hostile layers (skipped without root)', () => {
  for (const form of forms) {
    it.each(cases.filter((one) => form === 'overlay' || !one[0].startsWith('12 ')))(
      `${form}: %s`,
      async (_rule, layer, outcome, options = {}) => {
        const result = await outcomeOf(layer, { whiteouts: form, ...options });
        if ('code' in outcome) expect(result).toMatchObject({ code: outcome.code });
        else {
          const lines = 'lines' in result ? result.lines : [JSON.stringify(result)];
          expect(lines.map((line, index) => line.slice(0, outcome[index]?.length))).toEqual(outcome);
        }
        expect(result.outside).toEqual([
          'canary 644 0:0 file "safe"4',
          'jail 755 0:0 dir',
          expect.stringMatching(/^jail\/root \d+ 0:0 dir$/),
        ]);
      },
    );
  }

  it('a folder that another process keeps swapping for a link leads nowhere', async () => {
    using place = scratch();
    const [root, outside] = [place.folder('root'), place.folder('outside')];
    const script = `import os, sys
root, outside = sys.argv[1:]
os.mkdir(root + '/d'); os.symlink(outside, root + '/l')
print('ready', flush=True)
while True:
    try:
        os.rename(root + '/d', root + '/t'); os.rename(root + '/l', root + '/d')
        os.rename(root + '/d', root + '/l'); os.rename(root + '/t', root + '/d')
    except FileNotFoundError: pass`;
    const swapper = spawn('python3', ['-c', script, root, outside], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(swapper.stdout, 'data');
    try {
      for (let round = 0; round < 20; round++) {
        const layer = tar(...Array.from({ length: 50 }, (_, i) => [file(`x${i}`), file(`d/f${i}`)]).flat());
        await applyLayer([layer], root, { privileges: rootPrivileges, whiteouts: 'literal' }).catch(() => {});
      }
    } finally {
      swapper.kill('SIGKILL');
      await once(swapper, 'exit');
    }
    expect(fs.readdirSync(outside)).toEqual([]);
  });

  it('says what it accepted against the rules', async () => {
    using place = scratch();
    const layer = Buffer.concat([header(pax({ 'SCHILY.xattr.trusted.overlay.opaque': 'y' })), header(file('f'))]);
    const applied = await applyLayer([layer], place.folder('root'), {
      privileges: rootPrivileges,
      whiteouts: 'overlay',
    });
    expect(applied.warnings).toEqual([
      'the tar has no end mark',
      'the extended attribute "trusted.overlay.opaque" is not taken from layers',
    ]);
  });

  it('counts what follows the end mark in the diffID', async () => {
    using place = scratch();
    const [a, b] = [tar(file('a')), Buffer.concat([tar(file('a')), end])];
    const options = { privileges: rootPrivileges, whiteouts: 'overlay' } as const;
    const first = await applyLayer([a], place.folder('a'), options);
    const second = await applyLayer([b], place.folder('b'), options);
    expect([second.diffId === first.diffId, second.size - first.size]).toEqual([false, 1024]);
  });
});
