import { describe, expect, it } from '@jest/globals';
import { parseAnnotation } from '../../../src/build/index.ts';

const cases: readonly (readonly [text: string, expected: readonly object[]])[] = [
  ['k=v', [{ on: 'manifest', key: 'k', value: 'v' }]],
  ['k=', [{ on: 'manifest', key: 'k', value: '' }]],
  ['k=a=b:c', [{ on: 'manifest', key: 'k', value: 'a=b:c' }]],
  ['index:k=v', [{ on: 'index', key: 'k', value: 'v' }]],
  [
    'index,manifest:k=v',
    [
      { on: 'index', key: 'k', value: 'v' },
      { on: 'manifest', key: 'k', value: 'v' },
    ],
  ],
  [
    'manifest-descriptor[linux/arm64]:k=v',
    [{ on: 'manifest-descriptor', platform: { os: 'linux', architecture: 'arm64' }, key: 'k', value: 'v' }],
  ],
];

const refused = ['k', '=v', 'index:=v', 'layer:k=v', 'index[linux/arm64]:k=v', 'manifest[:k=v', ':k=v'];

describe('parseAnnotation', () => {
  it.each(cases)('%s', (text, expected) => expect(parseAnnotation(text)).toEqual(expected));

  it.each(refused)('refuses %s', (text) => {
    expect(() => parseAnnotation(text)).toThrow(expect.objectContaining({ code: 'OUTPUT_INVALID', exitCode: 125 }));
  });
});
