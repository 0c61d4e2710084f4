import { describe, expect, it } from '@jest/globals';
import { parseOutput } from '../../src/build/index.ts';

const cases: readonly (readonly [text: string, expected: object])[] = [
  ['out', { type: 'local', destination: 'out' }],
  ['-', { type: 'tar', destination: '-' }],
  ['type=local,dest=out', { type: 'local', destination: 'out' }],
  ['type=tar,dest=a.tar', { type: 'tar', destination: 'a.tar' }],
  ['type=tar,dest=-', { type: 'tar', destination: '-' }],
  ['type=oci,dest=a.tar', { type: 'oci', destination: 'a.tar', asFolder: false }],
  ['type=oci,dest=dir,tar=false', { type: 'oci', asFolder: true }],
  ['dest=a.tar,type=docker', { type: 'docker', destination: 'a.tar' }],
  [
    'type=oci,dest=a,compression=zstd,compression-level=9',
    { form: { compression: 'zstd', level: 9, mediaTypes: undefined } },
  ],
  ['type=oci,dest=a,compression=uncompressed', { form: { compression: 'none' } }],
  ['type=oci,dest=a,oci-mediatypes=false', { form: { mediaTypes: 'docker' } }],
  ['type=registry', { type: 'registry', name: undefined }],
  ['type=image,name=shop,push=true', { type: 'image', name: 'docker.io/library/shop:latest', push: true }],
];

const refused: readonly (readonly [text: string, why: RegExp])[] = [
  ['type=zip,dest=a', /unknown type "zip"/],
  ['dest=a', /unknown type ""/],
  ['type=oci', /needs dest=/],
  ['type=oci,dest=', /needs dest=/],
  ['type=tar,dest=a,tar=false', /tar has no option "tar"/],
  ['type=oci,dest=a,compression=rar', /unknown compression "rar"/],
  ['type=oci,dest=a,compression-level=23', /0 to 22/],
  ['type=oci,dest=a,compression-level=x', /0 to 22/],
  ['type=image,push=yes', /push is true or false/],
  ['type=oci,dest=a,', /"" is not key=value/],
];

describe('parseOutput', () => {
  it.each(cases)('%s', (text, expected) => {
    const output = parseOutput(text);
    if ('form' in expected) expect(output).toMatchObject({ form: expect.objectContaining(expected.form as object) });
    else expect(output).toMatchObject(expected);
  });

  it.each(refused)('refuses %s', (text, why) => {
    expect(() => parseOutput(text)).toThrow(
      expect.objectContaining({ code: 'OUTPUT_INVALID', exitCode: 125, message: expect.stringMatching(why) }),
    );
  });
});
