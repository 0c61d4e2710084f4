import { describe, expect, it } from '@jest/globals';
import {
  compatiblePlatforms,
  type Descriptor,
  digestOf,
  formatPlatform,
  hostPlatform,
  type ImageIndex,
  mediaTypes,
  normalizePlatform,
  parsePlatform,
  selectManifest,
} from '../../src/oci/index.ts';

describe('parsePlatform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v2', 'linux/amd64/v2'],
    ['Linux/AMD64', 'linux/amd64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['macos/arm64', 'darwin/arm64'],
    ['arm64', 'linux/arm64'],
    ['armhf', 'linux/arm/v7'],
    ['s390x', 'linux/s390x'],
    ['windows(10.0.17763)/amd64', 'windows(10.0.17763)/amd64'],
  ])('%s is %s', (text, normal) => {
    expect(formatPlatform(parsePlatform(text))).toBe(normal);
  });

  it('fills in the processor of this machine', () => {
    expect(parsePlatform('linux')).toEqual({ ...hostPlatform(), os: 'linux' });
  });

  it.each(['', '/', 'linux/', 'linux/amd64/v8/x', 'a b', 'linux/../x', 'nonsense', 'linux/*', 'x'.repeat(100)])(
    '%j is refused',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'INVALID_PLATFORM' }));
    },
  );
});

describe('compatiblePlatforms', () => {
  it.each([
    ['linux/amd64', ['linux/amd64', 'linux/386']],
    ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64', 'linux/386']],
    ['linux/arm/v7', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v5', ['linux/arm/v5']],
    ['linux/arm64', ['linux/arm64', 'linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    [
      'linux/arm64/v8.2',
      [
        'linux/arm64/v8.2',
        'linux/arm64/v8.1',
        'linux/arm64',
        'linux/arm/v8',
        'linux/arm/v7',
        'linux/arm/v6',
        'linux/arm/v5',
      ],
    ],
    ['linux/riscv64', ['linux/riscv64']],
  ])('%s runs %j', (text, expected) => {
    expect(compatiblePlatforms(parsePlatform(text)).map(formatPlatform)).toEqual(expected);
  });

  it('arm64/v9 has what v8.5 has', () => {
    const names = compatiblePlatforms(parsePlatform('linux/arm64/v9')).map(formatPlatform);
    expect(names.slice(0, 3)).toEqual(['linux/arm64/v9', 'linux/arm64/v8.5', 'linux/arm64/v8.4']);
  });
});

describe('selectManifest', () => {
  const entry = (platform: string | undefined, more: Partial<Descriptor> = {}): Descriptor => {
    const [os = '', architecture = '', variant] = platform?.split('/') ?? [];
    return {
      mediaType: mediaTypes.ociManifest,
      digest: digestOf(`${platform}`),
      size: 1,
      ...(platform === undefined
        ? {}
        : { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }),
      ...more,
    };
  };
  const index = (...manifests: Descriptor[]): ImageIndex => ({
    kind: 'index',
    mediaType: mediaTypes.ociIndex,
    manifests,
  });
  const attestation = entry('unknown/unknown');

  it.each([
    ['the exact one', ['linux/386', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
    ['the nearest variant', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v3', 'linux/amd64/v2'],
    ['the plain one for a plain machine', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
    ['arm64/v8 for arm64', ['linux/arm/v7', 'linux/arm64/v8'], 'linux/arm64', 'linux/arm64/v8'],
    ['32-bit arm for arm64', ['linux/arm/v6', 'linux/arm/v7'], 'linux/arm64', 'linux/arm/v7'],
    ['386 for amd64', ['linux/386', 'linux/s390x'], 'linux/amd64', 'linux/386'],
  ])('takes %s', (_, offered, wanted, expected) => {
    const found = selectManifest(index(attestation, ...offered.map((each) => entry(each))), parsePlatform(wanted));
    expect(found.digest).toBe(digestOf(expected));
  });

  it('takes the first of equals', () => {
    const second = entry('linux/amd64', { digest: digestOf('second') });
    expect(selectManifest(index(entry('linux/amd64'), second), parsePlatform('linux/amd64')).digest).toBe(
      digestOf('linux/amd64'),
    );
  });

  it('takes the only image without platform, attestations aside', () => {
    const only = entry(undefined);
    const marked = entry(undefined, { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } });
    expect(selectManifest(index(marked, attestation, only), parsePlatform('linux/amd64'))).toBe(only);
  });

  it.each([
    ['nothing fits', index(entry('linux/s390x'), entry('windows/amd64'))],
    ['a newer variant does not run', index(entry('linux/amd64/v4'))],
    ['there are only attestations', index(attestation)],
    ['it is empty', index()],
    ['two have no platform', index(entry(undefined), entry(undefined))],
  ])('fails where %s', (_, offered) => {
    expect(() => selectManifest(offered, parsePlatform('linux/amd64'))).toThrow(
      expect.objectContaining({ code: 'NO_MATCHING_PLATFORM' }),
    );
  });
});

it('normalizePlatform keeps the system version', () => {
  expect(normalizePlatform({ os: 'Windows', architecture: 'x86_64', osVersion: '10.0' })).toEqual({
    os: 'windows',
    architecture: 'amd64',
    osVersion: '10.0',
  });
});
