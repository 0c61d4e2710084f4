import { describe, expect, it } from '@jest/globals';
import { toImageForm } from '../../src/ui/image-flags.ts';

type Values = Parameters<typeof toImageForm>[0];

const flags = (values: Partial<Values>): Values => ({
  compression: undefined,
  'compression-level': undefined,
  'media-types': undefined,
  ...values,
});

describe('the form in which an image leaves the store', () => {
  it.each([
    [{}, undefined],
    [{ 'compression-level': 9 }, { mediaTypes: 'oci', compression: 'gzip', level: 9 }],
    [
      { compression: 'zstd', 'compression-level': 22 },
      { mediaTypes: 'oci', compression: 'zstd', level: 22 },
    ],
    [{ 'media-types': 'docker' }, { mediaTypes: 'docker', compression: 'gzip' }],
  ] as const)('%j', (values, form) => {
    expect(toImageForm(flags(values))).toEqual(form);
  });

  it.each([
    [{ 'compression-level': 10 }, '0 to 9 with gzip'],
    [{ 'compression-level': -1 }, '0 to 9 with gzip'],
    [{ compression: 'zstd', 'compression-level': 23 }, '0 to 22 with zstd'],
  ] as const)('%j is no level', (values, message) => {
    expect(() => toImageForm(flags(values))).toThrow(message);
  });
});
