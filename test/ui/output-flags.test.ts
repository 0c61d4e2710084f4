import { describe, expect, it } from '@jest/globals';
import { parsePlatform } from '../../src/oci/index.ts';
import { outputRequest, type OutputValues } from '../../src/ui/index.ts';

const none: OutputValues = {
  tag: undefined,
  platform: undefined,
  output: undefined,
  push: false,
  annotation: undefined,
  squash: false,
  provenance: undefined,
  sbom: undefined,
};

describe('outputRequest', () => {
  it('asks for nothing unless told', () => {
    expect(outputRequest(none)).toEqual({
      tags: [],
      outputs: [],
      push: false,
      annotations: [],
      squash: false,
      platform: undefined,
      platforms: [],
    });
  });

  it('has each platform once, the first as that of what is about one', () => {
    const { platform, platforms } = outputRequest({ ...none, platform: ['linux/arm64', 'linux/386', 'linux/aarch64'] });
    expect([platform, platforms]).toEqual([
      parsePlatform('linux/arm64'),
      ['linux/arm64', 'linux/386'].map(parsePlatform),
    ]);
  });

  it.each(['false', '0', 'False'])('lets attestations be switched off: %s', (value) => {
    expect(() => outputRequest({ ...none, provenance: value, sbom: value })).not.toThrow();
  });

  it.each(['true', 'mode=max', ''])('refuses to make them: %j', (value) => {
    for (const flag of ['provenance', 'sbom'])
      expect(() => outputRequest({ ...none, [flag]: value })).toThrow(/attestations are not made/);
  });
});
