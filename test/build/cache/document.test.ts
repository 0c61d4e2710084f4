import { describe, expect, it } from '@jest/globals';
import {
  type CacheDocument,
  inlineDocument,
  parseDocument,
  parseInlineDocument,
  serializeDocument,
} from '../../../src/build/cache/document.ts';
import { hashParts } from '../../../src/build/cache/parts.ts';
import { type Descriptor, digestOf, mediaTypes } from '../../../src/oci/index.ts';

const diffId = digestOf('layer');
const blob: Descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('blob'), size: 4 };
const blobs = new Map([[diffId, blob]]);
const document: CacheDocument = {
  records: [
    {
      key: digestOf('b'),
      diffId,
      parent: digestOf('parent'),
      parts: { kind: 'hash:0123456789abcdef' },
      created: '2026-11-28T07:00:00.123Z',
      duration: 1200,
    },
    { key: digestOf('a'), diffId, parent: undefined, parts: {}, created: undefined, duration: undefined },
  ],
  facts: [
    { kind: 'selection', key: '[false,[],["sha256:…","/x"]]', value: digestOf('x') },
    { kind: 'selection', key: 'a', value: 'b' },
  ],
};

describe('a cache document', () => {
  it('comes back as it was, in the order of its keys', () => {
    const read = parseDocument(serializeDocument(document, blobs), [blob]);
    const keyed = (records: CacheDocument['records']) => new Map(records.map((record) => [record.key, record]));
    expect(keyed(read.records)).toEqual(keyed(document.records));
    expect(new Set(read.facts)).toEqual(new Set(document.facts));
    expect(read.blobs).toEqual(blobs);
  });

  it('has the same bytes whatever the order of its content', () => {
    const turned = { records: document.records.toReversed(), facts: document.facts.toReversed() };
    expect(serializeDocument(turned, blobs)).toEqual(serializeDocument(document, blobs));
  });

  it('is smaller within an image: no times that work took, no blobs', () => {
    const inline = inlineDocument(document);
    expect(inline).not.toHaveProperty('layers');
    expect(parseInlineDocument(inline).records.map(({ duration }) => duration)).toEqual([undefined, undefined]);
  });

  it('tells nothing of values: parts are hashed, once', () => {
    const parts = hashParts({ command: '["curl","-u","me:hunter2"]', environment: '["TOKEN=hunter2"]' });
    expect(JSON.stringify(parts)).not.toContain('hunter2');
    expect(parts['command']).not.toBe(hashParts({ environment: '["curl","-u","me:hunter2"]' })['environment']);
    expect(hashParts(parts)).toEqual(parts);
  });
});

describe('a hostile cache document', () => {
  const record = { key: digestOf('k'), diffId, parts: {} };
  const valid = { version: 1, layers: {}, records: [], facts: [] };
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['is not JSON', '{', /not valid JSON/],
    ['is no object', [], /not a JSON object/],
    ['has no version', { ...valid, version: undefined }, /version is missing/],
    ['has a version that is no number', { ...valid, version: '1' }, /version must be an integer/],
    ['is of a later version', { ...valid, version: 2 }, /^this cache has version 2, this program reads version 1$/],
    ['has no records', { ...valid, records: undefined }, /records is missing/],
    ['has records that are no list', { ...valid, records: {} }, /records must be an array/],
    ['has a record that is none', { ...valid, records: [1] }, /records\[0\] must be an object/],
    ['has too many records', { ...valid, records: Array(30_001).fill(record) }, /30001 entries, the limit is 30000/],
    ['has too many facts', { ...valid, facts: Array(30_001).fill({}) }, /30001 entries/],
    [
      'has a key that is no digest',
      { ...valid, records: [{ ...record, key: '../../x' }] },
      /key is not a SHA-256 digest/,
    ],
    ['has a diffID that is no digest', { ...valid, records: [{ ...record, diffId: 'sha256:zz' }] }, /diffId is not/],
    [
      'has a diffID of another algorithm',
      { ...valid, records: [{ ...record, diffId: `sha512:${'0'.repeat(128)}` }] },
      /diffId is not/,
    ],
    ['has no diffID', { ...valid, records: [{ key: record.key }] }, /diffId is missing/],
    ['has a parent that is no digest', { ...valid, records: [{ ...record, parent: 'x' }] }, /parent is not/],
    ['has a time that is none', { ...valid, records: [{ ...record, created: 'yesterday' }] }, /RFC 3339/],
    [
      'has a time with a line break',
      { ...valid, records: [{ ...record, created: '2026-01-01T00:00:00Z\nX' }] },
      /RFC 3339/,
    ],
    ['has a negative duration', { ...valid, records: [{ ...record, duration: -1 }] }, /negative/],
    ['has parts that are no texts', { ...valid, records: [{ ...record, parts: { a: 1 } }] }, /must be a string/],
    ['has long parts', { ...valid, records: [{ ...record, parts: { a: 'x'.repeat(65) } }] }, /too long/],
    [
      'has many parts',
      {
        ...valid,
        records: [{ ...record, parts: Object.fromEntries(Array.from({ length: 501 }, (_, at) => [at, ''])) }],
      },
      /more than 500/,
    ],
    [
      'has a fact of a time that is none',
      { ...valid, facts: [{ kind: 'created', key: 'a', value: 'now' }] },
      /RFC 3339/,
    ],
    ['has a fact without a value', { ...valid, facts: [{ kind: 'a', key: 'b' }] }, /value is missing/],
    ['has a long fact', { ...valid, facts: [{ kind: 'a', key: 'b'.repeat(70_000), value: '' }] }, /more than 65536/],
    [
      'names a blob that the manifest does not',
      { ...valid, layers: { [diffId]: digestOf('other') } },
      /names a blob that the manifest does not/,
    ],
    ['names a layer that is no digest', { ...valid, layers: { '../x': blob.digest } }, /name that is not a digest/],
    ['names no digest', { ...valid, layers: { [diffId]: '/etc/passwd' } }, /names a blob that the manifest does not/],
    ['has no layers', { ...valid, layers: undefined }, /layers is missing/],
    ['is too large', ' '.repeat(8 * 1024 * 1024 + 1), /the limit is 8388608/],
  ];

  it.each(cases)('%s', (_name, value, message) => {
    const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
    expect(() => parseDocument(bytes, [blob])).toThrow(message);
  });

  it('names what is no layer as one', () => {
    const bytes = Buffer.from(JSON.stringify({ ...valid, layers: { [diffId]: blob.digest } }));
    for (const mediaType of ['application/json', mediaTypes.ociForeignLayerGzip, mediaTypes.ociManifest])
      expect(() => parseDocument(bytes, [{ ...blob, mediaType }])).toThrow(/no layer/);
  });

  it('does not bring urls and data of a descriptor along', () => {
    const bytes = Buffer.from(JSON.stringify({ ...valid, layers: { [diffId]: blob.digest } }));
    const { blobs: read } = parseDocument(bytes, [
      { ...blob, urls: ['http://169.254.169.254/'], data: Buffer.from('blob') },
    ]);
    expect(read.get(diffId)).toEqual(blob);
  });
});
