import { describe, expect, it } from '@jest/globals';
import { parseOutput } from '../../../src/build/index.ts';

const cases: readonly (readonly [text: string, expected: object])[] = [
  ['out', { type: 'local', destination: 'out', mode: 'copy' }],
  ['-', { type: 'tar', destination: '-' }],
  ['type=local,dest=out', { type: 'local', destination: 'out', platformSplit: undefined, mode: 'copy' }],
  ['type=local,dest=out,platform-split=false,mode=delete', { platformSplit: false, mode: 'delete' }],
  ['type=tar,dest=a.tar', { type: 'tar', destination: 'a.tar' }],
  ['type=tar,dest=-', { type: 'tar', destination: '-' }],
  ['type=cacheonly', { type: 'cacheonly' }],
  ['type=oci,dest=a.tar', { type: 'oci', destination: 'a.tar', asFolder: false, names: [] }],
  ['type=oci,dest=dir,tar=false', { type: 'oci', asFolder: true }],
  ['dest=a.tar,type=docker', { type: 'docker', destination: 'a.tar' }],
  ['type=docker,name=shop', { type: 'image', names: ['shop'], push: false }],
  ['type=oci,dest=a,"name=a:1,b/c"', { names: ['a:1', 'b/c'] }],
  ['type=oci,"dest=a ""b"", c"', { destination: 'a "b", c' }],
  [
    'type=oci,dest=a,compression=zstd,compression-level=22',
    { form: { compression: 'zstd', level: 22, mediaTypes: undefined } },
  ],
  ['type=oci,dest=a,compression=uncompressed', { form: { compression: 'none' } }],
  ['type=oci,dest=a,oci-mediatypes=false', { form: { mediaTypes: 'docker' } }],
  [
    'type=oci,dest=a,force-compression=true,rewrite-timestamp=1,squash=T,source-date-epoch=0',
    { form: { force: true, rewriteTimestamp: true, squash: true, epoch: 0 } },
  ],
  ['type=registry', { type: 'registry', names: [], push: true, byDigest: false, store: true }],
  ['type=image,name=shop,push=true', { type: 'image', names: ['shop'], push: true }],
  [
    'type=image,name=shop,push=true,push-by-digest=true,name-canonical=true,store=false,unpack=true',
    { byDigest: true, canonical: true, store: false, unpack: true },
  ],
  ['type=image,buildinfo=true,oci-artifact=false', { type: 'image' }],
  ['TYPE=image,Name=shop', { type: 'image', names: ['shop'] }],
  [
    'type=oci,dest=a,annotation.Some.Key=v,annotation-index.k=a=b',
    {
      form: {
        annotations: [
          { on: 'manifest', key: 'Some.Key', value: 'v' },
          { on: 'index', key: 'k', value: 'a=b' },
        ],
      },
    },
  ],
  [
    'type=oci,dest=a,annotation-manifest-descriptor[linux/arm64].k=v',
    {
      form: {
        annotations: [
          { on: 'manifest-descriptor', platform: { os: 'linux', architecture: 'arm64' }, key: 'k', value: 'v' },
        ],
      },
    },
  ],
];

const refused: readonly (readonly [text: string, why: RegExp])[] = [
  ['type=zip,dest=a', /unknown type "zip"/],
  ['type=constructor,dest=a', /unknown type "constructor"/],
  ['dest=a', /unknown type ""/],
  ['type=oci', /needs dest=/],
  ['type=oci,dest=', /needs dest=/],
  ['type=tar,dest=a,tar=false', /tar has no option "tar"/],
  ['type=tar,dest=a,annotation.k=v', /tar has no annotations/],
  ['type=local,dest=a,mode=move', /mode is copy or delete/],
  ['type=oci,tar=false,dest=-', /standard output/],
  ['type=oci,dest=a,compression=rar', /unknown compression "rar"/],
  ['type=oci,dest=a,compression=valueOf', /unknown compression "valueOf"/],
  ['type=oci,dest=a,compression=estargz', /estargz is not made/],
  ['type=oci,dest=a,compression-level=10', /0 to 9/],
  ['type=oci,dest=a,compression-level=x', /0 to 9/],
  ['type=oci,dest=a,compression=zstd,compression-level=23', /0 to 22/],
  ['type=oci,dest=a,compression=zstd,oci-mediatypes=false', /no media type for zstd/],
  ['type=oci,dest=a,annotation.k=v,oci-mediatypes=false', /no annotations/],
  ['type=oci,dest=a,annotation-layer.k=v', /unknown annotation type "layer"/],
  ['type=oci,dest=a,annotation-index[linux/arm64].k=v', /no single platform/],
  ['type=oci,dest=a,source-date-epoch=now', /seconds since 1970/],
  ['type=image,push=yes', /push is true or false/],
  ['type=image,name=a@sha256:0000000000000000000000000000000000000000000000000000000000000000', /names content/],
  ['type=oci,dest=a,', /"" is not key=value/],
  ['type=oci,"dest=a', /quotes/],
  ['type=oci,dest="a"', /quotes/],
  ['type=oci,"dest=a"b', /quotes/],
];

describe('parseOutput', () => {
  it.each(cases)('%s', (text, expected) => {
    expect(parseOutput(text)).toMatchObject(expected);
  });

  it.each(refused)('refuses %s', (text, why) => {
    expect(() => parseOutput(text)).toThrow(
      expect.objectContaining({ code: 'OUTPUT_INVALID', exitCode: 125, message: expect.stringMatching(why) }),
    );
  });
});
