import { describe, expect, it } from '@jest/globals';
import { excerptOf, needs, parse, suggestImage } from '../../src/dockerfile/index.ts';
import { imageConfig, inputs } from './build-inputs.ts';

describe('an image that is not there may be', () => {
  const ast = parse('FROM a AS build\nFROM b AS Web-App\nFROM c\n');
  it.each([
    ['a stage', 'biuld', ' (did you mean build?)'],
    ['a stage, whose name is in lower case', 'webapp', ' (did you mean web-app?)'],
    ['a well-known image', 'alpin', ' (did you mean alpine?)'],
    ['a well-known image with its tag', 'ubunto:latest', ' (did you mean ubuntu:latest?)'],
    ['nothing that is known', 'something', ''],
    ['what it says, for that is a known name', 'debian', ''],
    ['what it says, for letter case counts', 'BUILD', ''],
  ])('%s', (_, name, suggestion) => {
    expect(suggestImage(ast, name)).toBe(suggestion);
  });
});

describe('the line that needs an image', () => {
  /** The head of the excerpt for what `needs` finds first. */
  function placeOf(text: string): string | undefined {
    const ast = parse(text);
    const configs = new Map([['known linux/amd64', imageConfig({ config: { OnBuild: ['COPY --from=x / /'] } })]]);
    const [need] = needs(ast, inputs({ contexts: { stand: 'image' } }), configs);
    return need === undefined ? undefined : excerptOf(ast, need)[0];
  }
  it.each([
    ['is that of FROM', 'FROM x', 'Dockerfile:1:6'],
    ['is that of FROM behind its flags', '\nFROM --platform=linux/amd64 \\\n  x AS y', 'Dockerfile:3:3'],
    ['is that of COPY --from', 'FROM scratch\nCOPY --chown=1 \\\n --from=x a b', 'Dockerfile:3:2'],
    ['is that of a mount', 'FROM scratch\nRUN --mount=target=/a --mount=from=x,target=/b c', 'Dockerfile:2:23'],
    [
      'is that of the first that names it',
      'FROM scratch\nCOPY --from=x a b\nFROM x\nCOPY --from=0 a b',
      'Dockerfile:2:6',
    ],
    ['is that of FROM for a trigger of its base', 'FROM known', 'Dockerfile:1:1'],
    ['is that of the stage whose place a named context takes', 'FROM x AS stand', 'Dockerfile:1:11'],
  ])('%s', (_, text, place) => {
    expect(placeOf(text)).toBe(place);
  });
});
