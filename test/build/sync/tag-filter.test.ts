import { describe, expect, it } from '@jest/globals';
import { tagChoice } from '../../../src/build/sync/tag-filter.ts';
import type { TagFilter } from '../../../src/build/index.ts';

const tags = ['latest', 'v1.2.3', '1.2', '1', '2.0.0-rc.1', '2.0.0', '2.1.0_build5', '12-slim', 'edge'];

describe('a filter of tags', () => {
  it.each<readonly [string, TagFilter, readonly string[]]>([
    ['lets all in that says nothing', {}, tags],
    ['matches whole tags', { include: ['1', 'edge'] }, ['1', 'edge']],
    ['takes alternatives as one', { include: ['v?1.*|latest'] }, ['latest', 'v1.2.3', '1.2', '1', '12-slim']],
    ['leaves out', { exclude: ['.*-.*', 'latest'] }, ['v1.2.3', '1.2', '1', '2.0.0', '2.1.0_build5', 'edge']],
    ['leaves out of what is in', { include: ['1.*'], exclude: ['12.*'] }, ['1.2', '1']],
    ['knows versions, whole and not', { semver: ['>=1.2 <2'] }, ['v1.2.3', '1.2']],
    ['lets prereleases in only where asked for', { semver: ['>=2.0.0-rc.0 <2.0.0'] }, ['2.0.0-rc.1']],
    ['reads _ as +', { semver: ['^2.1'] }, ['2.1.0_build5']],
    ['unites versions and expressions', { semver: ['1.0.0'], include: ['edge'] }, ['1', 'edge']],
    ['has nothing of no expressions', { include: [] }, []],
  ])('%s', (_, filter, expected) => {
    expect(tagChoice(filter)(tags)).toEqual(expected);
  });

  it.each<readonly [TagFilter, string]>([
    [{ include: ['('] }, 'regular expression: ('],
    [{ exclude: ['[z-a]'] }, 'regular expression: [z-a]'],
    [{ semver: ['no range'] }, 'range of versions: no range'],
  ])('refuses %j', (filter, message) => {
    expect(() => tagChoice(filter)).toThrow(message);
  });
});
