import { describe, expect, it } from '@jest/globals';
import { parseChallenges, pickChallenge } from '../../src/registry/auth/challenge.ts';

type Plain = readonly [string, Readonly<Record<string, string>>];

const plain = (headers: readonly string[]): Plain[] =>
  parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('a WWW-Authenticate header', () => {
  const cases: readonly (readonly [string, readonly string[], readonly Plain[]])[] = [
    ['one Basic', ['Basic realm="x"'], [['basic', { realm: 'x' }]]],
    [
      'Bearer as docker sends it',
      ['Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"'],
      [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:a/b:pull,push' }]],
    ],
    [
      'two challenges in one header',
      ['Negotiate, Basic realm="x", Bearer realm="y",service="z"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
        ['bearer', { realm: 'y', service: 'z' }],
      ],
    ],
    [
      'two headers',
      ['Negotiate', 'Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'a base64 blob after the scheme',
      ['Negotiate TlRMTVNTUAAC==, Basic realm="x"'],
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    ['quoted pairs', ['Basic realm="a \\"b\\" \\\\"'], [['basic', { realm: 'a "b" \\' }]]],
    ['a comma inside quotes', ['Basic realm="a, Bearer realm=b"'], [['basic', { realm: 'a, Bearer realm=b' }]]],
    ['unquoted values', ['Bearer realm=https://a/t,service=s'], [['bearer', { realm: 'https://a/t', service: 's' }]]],
    ['spaces around =', ['Basic realm = "x"'], [['basic', { realm: 'x' }]]],
    ['names in any case', ['BEARER Realm="x"'], [['bearer', { realm: 'x' }]]],
    ['the first of a doubled parameter', ['Basic realm="x",realm="y"'], [['basic', { realm: 'x' }]]],
    ['nothing', [''], []],
    ['garbage', ['"""'], []],
    [
      'an open quote ends the reading',
      ['Basic realm="x", Bearer realm="y'],
      [
        ['basic', { realm: 'x' }],
        ['bearer', {}],
      ],
    ],
  ];
  it.each(cases)('%s', (_, headers, expected) => {
    expect(plain(headers)).toEqual(expected);
  });

  it('with many commas is read in linear time', () => {
    expect(plain([`${','.repeat(100_000)}Basic realm="x"`])).toEqual([]);
  });

  const picks: readonly (readonly [string, readonly string[], string | undefined])[] = [
    ['Bearer before Basic', ['Basic realm="x"', 'Bearer realm="y"'], 'bearer'],
    ['Basic where Bearer has no realm', ['Bearer error="x"', 'Basic realm="x"'], 'basic'],
    ['Basic beside Negotiate', ['Negotiate', 'Basic realm="x"'], 'basic'],
    ['none that we cannot answer', ['Negotiate', 'Digest realm="x"'], undefined],
  ];
  it.each(picks)('picks %s', (_, headers, scheme) => {
    expect(pickChallenge(parseChallenges(headers))?.scheme).toBe(scheme);
  });
});
