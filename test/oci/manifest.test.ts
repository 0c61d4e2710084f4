import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  digestOf,
  mediaTypes,
  parseDescriptor,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
  serializeIndex,
  serializeManifest,
} from '../../src/oci/index.ts';
import { indexes, manifests } from './arbitraries.ts';

const digest = digestOf('x');
const descriptor = { mediaType: 'application/vnd.test+json', digest, size: 1 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [descriptor] };
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('parseManifestOrIndex takes', () => {
  const { mediaType: _, ...untypedManifest } = manifest;
  const { mediaType: __, ...untypedIndex } = index;
  it.each([
    ['a manifest', manifest, undefined, 'manifest', mediaTypes.ociManifest],
    ['a manifest of its type', manifest, mediaTypes.ociManifest, 'manifest', mediaTypes.ociManifest],
    [
      'a type with parameters',
      manifest,
      `${mediaTypes.ociManifest}; charset=utf-8`,
      'manifest',
      mediaTypes.ociManifest,
    ],
    ['a manifest called text', manifest, 'text/plain', 'manifest', mediaTypes.ociManifest],
    ['a manifest called bytes', manifest, 'application/octet-stream', 'manifest', mediaTypes.ociManifest],
    ['a manifest without type', untypedManifest, undefined, 'manifest', mediaTypes.ociManifest],
    [
      'a docker manifest without type',
      untypedManifest,
      mediaTypes.dockerManifest,
      'manifest',
      mediaTypes.dockerManifest,
    ],
    ['an index', index, undefined, 'index', mediaTypes.ociIndex],
    ['an index without type', untypedIndex, 'text/html', 'index', mediaTypes.ociIndex],
    ['null for no entries', { ...index, manifests: null }, undefined, 'index', mediaTypes.ociIndex],
    ['null annotations', { ...index, annotations: null }, undefined, 'index', mediaTypes.ociIndex],
  ])('%s', (_name, document, contentType, kind, mediaType) => {
    expect(parseManifestOrIndex(bytes(document), contentType)).toMatchObject({ kind, mediaType });
  });
});

describe('parseManifestOrIndex refuses', () => {
  const without = (name: string): object =>
    Object.fromEntries(Object.entries(manifest).filter(([key]) => key !== name));
  const invalid = 'INVALID_MANIFEST';
  const unsupported = 'UNSUPPORTED_MEDIA_TYPE';
  it.each<[string, unknown, string | undefined, string]>([
    ['what is no object', [], undefined, invalid],
    ['null', null, undefined, invalid],
    ['a missing schemaVersion', without('schemaVersion'), undefined, invalid],
    ['schemaVersion 3', { ...manifest, schemaVersion: 3 }, undefined, invalid],
    ['schemaVersion "2"', { ...manifest, schemaVersion: '2' }, undefined, invalid],
    ['layers and manifests (CVE-2021-41190)', { ...manifest, manifests: [] }, undefined, invalid],
    ['an index with layers', { ...index, layers: [] }, undefined, invalid],
    ['an index with a config', { ...index, config: descriptor }, undefined, invalid],
    ['a manifest with fsLayers', { ...manifest, fsLayers: [] }, undefined, invalid],
    ['Layers, which Go would take for layers', { ...manifest, Layers: [descriptor] }, undefined, invalid],
    ['a body of another type than said', manifest, mediaTypes.dockerManifest, invalid],
    ['an index said to be a manifest', index, mediaTypes.ociManifest, invalid],
    ['a manifest typed as index', { ...manifest, mediaType: mediaTypes.ociIndex }, undefined, 'INVALID_MANIFEST'],
    ['an unknown type', { ...manifest, mediaType: 'application/vnd.other+json' }, undefined, unsupported],
    ['an unknown content type', without('mediaType'), 'application/vnd.other+json', unsupported],
    ['schema 1', { schemaVersion: 1, fsLayers: [], history: [] }, undefined, unsupported],
    ['schema 1 by type', {}, 'application/vnd.docker.distribution.manifest.v1+prettyjws', unsupported],
    ['a missing config', without('config'), undefined, invalid],
    ['missing layers', without('layers'), undefined, invalid],
    ['layers that are no list', { ...manifest, layers: {} }, undefined, invalid],
    ['annotations that are no strings', { ...manifest, annotations: { a: 1 } }, undefined, invalid],
    ['1001 entries', { ...index, manifests: Array.from({ length: 1001 }, () => descriptor) }, undefined, invalid],
    ['a layer that is no object', { ...manifest, layers: [1] }, undefined, 'INVALID_DESCRIPTOR'],
    [
      'a subject without digest',
      { ...manifest, subject: { mediaType: 'a/b', size: 1 } },
      undefined,
      'INVALID_DESCRIPTOR',
    ],
  ])('%s', (_name, document, contentType, code) => {
    expect(() => parseManifestOrIndex(bytes(document), contentType)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['at the top', '"layers":[],"layers":['],
    ['in other spelling', '"layers":[],"l\\u0061yers":['],
    ['of a descriptor', '"layers":[{"size":1,"size":2}],"annotations":{"x":"'],
  ])('a name that stands twice %s', (_, part) => {
    const text = JSON.stringify(manifest).replace('"layers":[', part);
    expect(text).not.toBe(JSON.stringify(manifest));
    const closed = part.includes('annotations') ? `${text.slice(0, text.indexOf('"x":"') + 5)}"}}` : text;
    expect(() => parseManifestOrIndex(Buffer.from(closed))).toThrow('stands twice in one object');
  });

  it('but not one that stands in two objects, or in a text', () => {
    const annotations = { a: '{"a":1,"a":2}', 'b\\"': ':,"b"', layers: '', size: '1' };
    expect(parseManifestOrIndex(bytes({ ...manifest, annotations }))).toMatchObject({ annotations });
  });

  it('more than 8 MiB', () => {
    const large = Buffer.alloc(8 * 1024 * 1024 + 1, 0x20);
    expect(() => parseManifestOrIndex(large)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });

  it('bytes that are no UTF-8', () => {
    const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(() => parseManifestOrIndex(broken)).toThrow(expect.objectContaining({ code: 'INVALID_MANIFEST' }));
  });

  it('text that is no JSON, even very deep', () => {
    expect(() => parseManifestOrIndex(Buffer.from('['.repeat(1_000_000)))).toThrow(
      expect.objectContaining({ code: 'INVALID_MANIFEST' }),
    );
  });

  it('the other kind where one is wanted', () => {
    expect(() => parseManifest(bytes(index))).toThrow(expect.objectContaining({ code: unsupported }));
    expect(() => parseIndex(bytes(manifest))).toThrow(expect.objectContaining({ code: unsupported }));
  });

  it('schema 1 with words that help', () => {
    expect(() => parseManifest(bytes({ schemaVersion: 1 }))).toThrow('schema 1');
  });
});

describe('parseDescriptor refuses', () => {
  const data = (text: string, more: object = {}): object => ({
    ...descriptor,
    digest: digestOf('hello'),
    size: 5,
    data: text,
    ...more,
  });
  it.each<[string, unknown]>([
    ['a list', []],
    ['no media type', { digest, size: 1 }],
    ['an empty media type', { ...descriptor, mediaType: '' }],
    ['a media type with a line break', { ...descriptor, mediaType: 'a/b\r\nx' }],
    ['no digest', { mediaType: 'a/b', size: 1 }],
    ['a digest that is a path (CVE-2024-3727)', { ...descriptor, digest: 'sha256:../../etc/passwd' }],
    ['a digest in capitals', { ...descriptor, digest: digest.toUpperCase() }],
    ['no size', { mediaType: 'a/b', digest }],
    ['a negative size', { ...descriptor, size: -1 }],
    ['a broken size', { ...descriptor, size: 1.5 }],
    ['a size of 2^53', { ...descriptor, size: 2 ** 53 }],
    ['a size in words', { ...descriptor, size: '1' }],
    ['urls that are no list', { ...descriptor, urls: 'http://x' }],
    ['data of another content', data(Buffer.from('HELLO').toString('base64'))],
    ['data of another length', data(Buffer.from('hell').toString('base64'))],
    ['data that is not base64', data('aGVs bG8=')],
    ['a platform without processor', { ...descriptor, platform: { os: 'linux' } }],
  ])('%s', (_name, value) => {
    expect(() => parseDescriptor(value)).toThrow(expect.objectContaining({ code: 'INVALID_DESCRIPTOR' }));
  });

  it('and takes data that is right', () => {
    expect(parseDescriptor(data('aGVsbG8=')).data).toEqual(Buffer.from('hello'));
  });
});

describe('written and parsed again', () => {
  it('a manifest is the same', () => {
    fc.assert(
      fc.property(manifests, (value) => {
        const written = serializeManifest(value);
        expect(parseManifest(written, value.mediaType)).toEqual(value);
        expect(serializeManifest(parseManifest(written))).toEqual(written);
      }),
    );
  });

  it('an index is the same', () => {
    fc.assert(
      fc.property(indexes, (value) => {
        expect(parseIndex(serializeIndex(value), value.mediaType)).toEqual(value);
      }),
    );
  });
});

it('a manifest is written as BuildKit writes it', () => {
  const written = serializeManifest({
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest, size: 2 },
    layers: [{ mediaType: mediaTypes.ociLayer, digest, size: 1, annotations: { b: '<&>', a: '1' } }],
  });
  expect(written.toString()).toBe(`{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "${digest}",
    "size": 2
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar",
      "digest": "${digest}",
      "size": 1,
      "annotations": {
        "a": "1",
        "b": "\\u003c\\u0026\\u003e"
      }
    }
  ]
}`);
});
