import { describe, expect, it } from '@jest/globals';
import { artifactContent, commandWords, epochOf, mutation, timeChange } from '../../src/ui/index.ts';

describe('flags of edits', () => {
  it.each<readonly [string, readonly string[] | undefined]>([
    ['a,b', ['a', 'b']],
    ['["a,b","c"]', ['a,b', 'c']],
    ['[]', []],
    ['', []],
  ])('a command %j is %j', (text, words) => {
    expect(commandWords('cmd', [text])).toEqual(words);
  });

  it.each<readonly [string, object]>([
    ['2023-11-14T22:13:20Z', { set: 1_700_000_000, after: undefined, baseLayers: 0 }],
    ['1700000000', { set: 1_700_000_000, after: undefined, baseLayers: 0 }],
    ['set=5,after=7,base-layers=2', { set: 5, after: 7, baseLayers: 2 }],
  ])('a time %s', (text, change) => {
    expect(timeChange('time', text)).toEqual(change);
  });

  const none = { reproducible: false, 'to-oci': false, 'to-docker': false };
  it.each<readonly [string, () => unknown]>([
    ['no JSON', () => commandWords('cmd', ['[1]'])],
    ['no time', () => timeChange('time', 'yesterday')],
    ['no time to set', () => timeChange('time', 'after=5')],
    ['no epoch', () => epochOf({ SOURCE_DATE_EPOCH: 'now' })],
    ['no port', () => mutation({ ...none, 'exposed-ports': ['http'] })],
    ['no number of a layer', () => mutation({ ...none, 'layer-rm-index': ['top'] })],
    ['no regular expression', () => mutation({ ...none, 'layer-rm-created-by': ['('] })],
    ['two forms', () => mutation({ ...none, 'to-oci': true, 'to-docker': true })],
    ['no media type', () => artifactContent([], { 'artifact-type': 'sbom' })],
  ])('%s is wrong usage', (_, read) => {
    expect(read).toThrow(expect.objectContaining({ exitCode: 125 }));
  });

  it('a file of an artifact may have a type, and a colon', () => {
    const { files } = artifactContent(['a.txt', 'b:text/plain', 'c:d', '/x:y/z.json'], {});
    expect(files).toEqual([
      { path: 'a.txt' },
      { path: 'b', mediaType: 'text/plain' },
      { path: 'c:d' },
      { path: '/x', mediaType: 'y/z.json' },
    ]);
  });
});
