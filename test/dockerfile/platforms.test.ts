import { describe, expect, it } from '@jest/globals';
import { needKey, parse, type PlatformGraph, platformNeeds, toPlatformGraph } from '../../src/dockerfile/index.ts';
import { parsePlatform } from '../../src/oci/index.ts';
import { graphOf, imageConfig, inputs, linux } from './build-inputs.ts';

/** The graph for several platforms; the build runs on linux/amd64. */
function platformGraph(text: string, platforms: readonly string[] = ['linux/amd64', 'linux/arm64']): PlatformGraph {
  const ast = parse(text);
  const { platform: _, ...rest } = inputs();
  const given = { ...rest, platforms: platforms.map(parsePlatform) };
  const configs = new Map(
    platformNeeds(ast, given, new Map()).map((need) => [needKey(need), { ...imageConfig(), platform: need.platform }]),
  );
  return toPlatformGraph(ast, given, configs);
}

const titles = (text: string, platforms?: readonly string[]) =>
  platformGraph(text, platforms).steps.map(({ title }) => title);

const cross =
  'FROM --platform=$BUILDPLATFORM go AS build\nRUN deps\nARG TARGETARCH\nRUN make\nFROM base\nCOPY --from=build /a /';

describe('the graph of several platforms', () => {
  it('has a step that is the same for all once', () => {
    expect(titles(cross)).toEqual([
      '[linux/amd64 build 1/3] FROM go',
      '[linux/amd64 build 2/3] RUN deps',
      '[linux/amd64 build 3/3] RUN make',
      '[linux/amd64 stage-1 1/2] FROM base',
      '[linux/amd64 stage-1 2/2] COPY --from=build /a /',
      '[linux/amd64->arm64 build 3/3] RUN make',
      '[linux/arm64 stage-1 1/2] FROM base',
      '[linux/arm64 stage-1 2/2] COPY --from=build /a /',
    ]);
  });

  it('numbers its steps anew, in targets, inputs, sources, mounts and history', () => {
    const { platforms, steps } = platformGraph(`${cross}\nRUN --mount=from=build,target=/m x`);
    expect(steps.map(({ id }) => id)).toEqual(steps.map((_, index) => `s${index}`));
    expect(platforms.map(({ target }) => target)).toEqual(['s5', 's9']);
    expect(platforms[1]?.image.history.flatMap(({ step }) => step ?? [])).toEqual(['s8', 's9']);
    expect(steps[6]).toMatchObject({ input: 's1', env: expect.arrayContaining(['TARGETARCH=arm64']) });
    expect(steps[8]).toMatchObject({ input: 's7', sources: [{ from: { kind: 'step', step: 's6' } }] });
    expect(steps[9]).toMatchObject({ input: 's8', mounts: [{ from: { kind: 'step', step: 's6' } }] });
  });

  it('is the graph of one platform where one is asked for', () => {
    const { steps, target, image } = graphOf(cross, { platform: linux });
    expect(platformGraph(cross, ['linux/amd64'])).toEqual({
      version: 1,
      platforms: [{ platform: linux, target, image }],
      steps,
      warnings: [],
    });
  });

  it('takes a platform once, however it is spelled', () => {
    expect(platformGraph('FROM a', ['linux/arm64', 'linux/aarch64/v8']).platforms).toHaveLength(1);
  });

  it('asks for the images of all platforms, each once', () => {
    const { platform: _, ...rest } = inputs();
    const given = { ...rest, platforms: ['linux/amd64', 'linux/arm/v7'].map(parsePlatform) };
    expect(platformNeeds(parse(cross), given, new Map()).map(needKey)).toEqual([
      'go linux/amd64',
      'base linux/amd64',
      'base linux/arm/v7',
    ]);
  });

  it('warns once of what is the same on all', () => {
    expect(platformGraph('# syntax=x\nFROM a').warnings).toEqual([
      { message: '"# syntax=x" is ignored: the language is built in', line: 1 },
    ]);
  });

  it('has no target on any platform for FROM scratch alone', () => {
    const { platforms, steps } = platformGraph('FROM scratch');
    expect({ targets: platforms.map(({ target }) => target), steps }).toEqual({
      targets: [undefined, undefined],
      steps: [],
    });
  });
});

describe('titles name the platform', () => {
  const fixed = 'FROM --platform=linux/arm64 a\n';
  it.each<readonly [rule: string, text: string, platform: string, last: string]>([
    ['that a step runs on', `${fixed}RUN x`, 'linux/amd64', '[linux/arm64 2/2] RUN x'],
    ['never with an arrow for FROM', fixed, 'linux/amd64', '[linux/arm64 1/1] FROM a'],
    ['of a scratch stage', 'FROM scratch\nCOPY a b', 'linux/arm/v7', '[linux/arm/v7 1/1] COPY a b'],
    ['of the first base below', `${fixed}RUN x\nFROM b\nRUN y`, 'linux/386', '[linux/386 stage-1 2/2] RUN y'],
    [
      'of a stage below',
      'FROM --platform=linux/arm64 a AS b\nFROM b\nRUN y',
      'linux/386',
      '[linux/arm64 stage-1 1/1] RUN y',
    ],
    ['and what TARGETARCH says', `${fixed}ARG TARGETARCH\nRUN x`, 'linux/386', '[linux/arm64->386 2/2] RUN x'],
    [
      'and TARGETVARIANT',
      `${fixed}ARG TARGETARCH TARGETVARIANT\nRUN x`,
      'linux/arm/v7',
      '[linux/arm64->arm/v7 2/2] RUN x',
    ],
    ['and TARGETPLATFORM', `${fixed}ARG TARGETPLATFORM\nRUN x`, 'linux/arm/v7', '[linux/arm64->arm/v7 2/2] RUN x'],
    [
      'whole where the system differs',
      `${fixed}ARG TARGETPLATFORM\nRUN x`,
      'windows/amd64',
      '[linux/arm64->windows/amd64 2/2] RUN x',
    ],
    [
      'where TARGETOS alone differs',
      `${fixed}ENV TARGETOS=windows\nRUN x`,
      'linux/arm64',
      '[linux/arm64->windows/arm64 2/2] RUN x',
    ],
    ['without an arrow to itself', `${fixed}ENV TARGETARCH=aarch64\nRUN x`, 'linux/386', '[linux/arm64 2/2] RUN x'],
    [
      'without an arrow to another variant',
      `${fixed}ENV TARGETVARIANT=v9\nRUN x`,
      'linux/386',
      '[linux/arm64 2/2] RUN x',
    ],
    ['without an arrow for an empty value', `${fixed}ENV TARGETOS=\nRUN x`, 'linux/386', '[linux/arm64 2/2] RUN x'],
    [
      'past a TARGETPLATFORM that is none',
      `${fixed}ENV TARGETPLATFORM=/ TARGETARCH=s390x\nRUN x`,
      'linux/386',
      '[linux/arm64->s390x 2/2] RUN x',
    ],
    [
      'of what ENV of a base stage says',
      `${fixed.trim()} AS b\nENV TARGETARCH=arm\nFROM b\nRUN x`,
      'linux/386',
      '[linux/arm64->arm/v7 stage-1 1/1] RUN x',
    ],
  ])('%s', (_, text, platform, last) => {
    expect(graphOf(text, { platform: parsePlatform(platform), showPlatform: true }).steps.at(-1)?.title).toBe(last);
  });
});
