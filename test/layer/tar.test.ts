import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeHeader,
  endOfArchive,
  listEntries,
  paddingFor,
  type TarEntry,
  TarReader,
} from '../../src/layer/index.ts';
import { base256, dir, file, header, pax, paxBody, type RawHeader, tar } from './tar-builder.ts';

async function list(bytes: Buffer): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const entry of listEntries([bytes])) entries.push(entry);
  return entries;
}

const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc
    .uint8Array({ minLength: 1, maxLength: max })
    .map((array) => Buffer.from(array.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))));
const names = fc.oneof(
  bytes(20),
  bytes(300),
  fc
    .array(bytes(90), { minLength: 2, maxLength: 4 })
    .map((parts) => Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from('/'), part])))),
);
const common = {
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
  mtimeNs: fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }).map((s) => s * 1_000_000_000n),
  name: names,
};
const entry: fc.Arbitrary<TarEntry> = fc.oneof(
  fc.record({
    ...common,
    type: fc.constantFrom('directory', 'fifo') as fc.Arbitrary<'directory' | 'fifo'>,
    size: fc.constant(0),
  }),
  fc.record({
    ...common,
    type: fc.constant('file' as const),
    size: fc.constantFrom(0, 1, 511, 512, 70_000),
    xattrs: fc
      .dictionary(fc.constantFrom('security.capability', 'user.a', 'user.ä'), bytes(40), { minKeys: 1 })
      .map((pairs) => new Map(Object.entries(pairs))),
  }),
  fc.record({
    ...common,
    type: fc.constantFrom('symlink', 'hardlink') as fc.Arbitrary<'symlink' | 'hardlink'>,
    size: fc.constant(0),
    linkName: names,
  }),
  fc.record({
    ...common,
    type: fc.constantFrom('character', 'block') as fc.Arbitrary<'character' | 'block'>,
    size: fc.constant(0),
    device: fc.record({ major: fc.integer({ min: 0, max: 4095 }), minor: fc.integer({ min: 0, max: 2 ** 20 - 1 }) }),
  }),
);

const readings: readonly (readonly [rule: string, tar: Buffer, entry: Partial<Record<keyof TarEntry, unknown>>])[] = [
  [
    'a name with a prefix',
    tar(file('n', '', { patch: (block) => void block.write('some/prefix', 345) })),
    { name: Buffer.from('some/prefix/n') },
  ],
  [
    'an old tar without magic has no prefix',
    tar(file('n', '', { patch: (block) => void block.fill(0, 257, 265).write('junk', 345) })),
    { name: Buffer.from('n') },
  ],
  [
    'an old tar names folders by a slash',
    tar(file('d/', '', { type: '\0' })),
    { type: 'directory', name: Buffer.from('d') },
  ],
  ['type bits in the mode are ignored', tar(file('f', '', { mode: 0o100644 })), { mode: 0o644 }],
  [
    'a size on what has no content is ignored',
    Buffer.concat([header(dir('d', { size: 512 })), tar(file('f'))]),
    { type: 'directory', size: 0 },
  ],
  ['base-256 numbers', tar(file('f', '', { uid: base256(3_000_000n, 8) })), { uid: 3_000_000 }],
  ['times before 1970', tar(file('f', '', { mtime: base256(-1n, 12) })), { mtimeNs: -1_000_000_000n }],
  [
    'PAX wins over a GNU long name',
    tar(paxBody('gnu\0', 'L'), pax({ path: 'pax' }), file('f')),
    { name: Buffer.from('pax') },
  ],
  ['a global PAX header counts for all that follow', tar(pax({ uid: '7' }, 'g'), file('f')), { uid: 7 }],
  ['an own PAX record wins over a global one', tar(pax({ uid: '7' }, 'g'), pax({ uid: '8' }), file('f')), { uid: 8 }],
  ['an empty PAX value takes a record back', tar(pax({ uid: '7' }, 'g'), pax({ uid: '' }), file('f')), { uid: 0 }],
  ['a PAX time with a fraction', tar(pax({ mtime: '1.5' }), file('f')), { mtimeNs: 1_500_000_000n }],
  [
    'an attribute whose value has a NUL',
    tar(pax({ 'SCHILY.xattr.user.x': 'a\0b' }), file('f')),
    { xattrs: new Map([['user.x', Buffer.from('a\0b')]]) },
  ],
];

describe('reading tar', () => {
  it.each(readings)('%s', async (_rule, archive, expected) => {
    expect((await list(archive))[0]).toMatchObject(expected);
  });

  const sizes = [1, 7, 511, 512, 513, 4096];
  it.each(sizes)('does not depend on how the input is cut: pieces of %i bytes', async (size) => {
    const raw: RawHeader[] = [paxBody(`${'n'.repeat(150)}\0`, 'L'), file('f', 'x'.repeat(1300)), dir('d')];
    const archive = tar(...raw);
    let content = '';
    const seen: string[] = [];
    const reader = new TarReader({
      entry: (one) => void seen.push(`${one.type} ${one.name.toString()}`),
      data: (chunk) => void (content += chunk.toString()),
      hole() {},
      endEntry() {},
    });
    for (let at = 0; at < archive.length; at += size) reader.write(archive.subarray(at, at + size));
    reader.end();
    expect([seen, content]).toEqual([[`file ${'n'.repeat(150)}`, 'directory d'], 'x'.repeat(1300)]);
  });

  it('survives any damage with a typed error', () => {
    const good = tar(
      pax({ path: 'p', 'SCHILY.xattr.user.a': 'v' }),
      file('f', 'content'),
      paxBody('l\0', 'K'),
      file('g'),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (damage) => {
          const archive = Buffer.from(good);
          for (const [at, byte] of damage) archive[at] = byte;
          const reader = new TarReader({ entry() {}, data() {}, hole() {}, endEntry() {} });
          try {
            reader.write(archive);
            reader.end();
          } catch (error) {
            expect((error as { code?: string }).code).toMatch(/^(INVALID_TAR|TRUNCATED|TOO_LARGE)$/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('writing tar', () => {
  it('what is written is read as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 4 }), async (entries) => {
        const parts = entries.flatMap((one) => [encodeHeader(one), Buffer.alloc(one.size), paddingFor(one.size)]);
        expect(await list(Buffer.concat([...parts, endOfArchive]))).toEqual(entries);
      }),
      { numRuns: 150 },
    );
  });

  const plain: TarEntry = { name: Buffer.from('f'), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtimeNs: 0n };
  const forms: readonly (readonly [rule: string, entry: Partial<TarEntry>, blocks: number])[] = [
    ['a plain entry is one block', {}, 1],
    ['a name of 100 bytes fits', { name: Buffer.alloc(100, 'n') }, 1],
    ['a long path is split', { name: Buffer.from(`${'d'.repeat(100)}/${'n'.repeat(100)}`) }, 1],
    ['a name of 101 bytes needs PAX', { name: Buffer.alloc(101, 'n') }, 3],
    ['bytes above 127 need PAX', { name: Buffer.from('ü') }, 3],
    ['the largest uid of ustar', { uid: 0o7777777 }, 1],
    ['a larger uid needs PAX', { uid: 0o7777777 + 1 }, 3],
    ['8 GiB need PAX', { size: 8 * 2 ** 30 }, 3],
    ['a time before 1970 needs PAX', { mtimeNs: -1n }, 3],
    ['a fraction of a second is dropped', { mtimeNs: 5n }, 1],
  ];
  it.each(forms)('%s', (_rule, change, blocks) => {
    expect(encodeHeader({ ...plain, ...change }).length / 512).toBe(blocks);
  });

  it('attributes are sorted by name', () => {
    const xattrs = (keys: string[]): Buffer =>
      encodeHeader({ ...plain, xattrs: new Map(keys.map((key) => [key, Buffer.from('v')])) });
    expect(xattrs(['user.b', 'user.a'])).toEqual(xattrs(['user.a', 'user.b']));
  });
});
