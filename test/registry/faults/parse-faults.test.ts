import { describe, expect, it } from '@jest/globals';
import { parseFaults } from '../../../src/registry/index.ts';

const script = (rule: unknown): string => JSON.stringify({ faults: [rule] });

describe('a fault script', () => {
  it('is read into rules with their defaults', () => {
    expect(parseFaults(script({ on: 'get-blob', fault: 'drop', at: 'answer', after: 65536 }))).toEqual([
      {
        on: ['get-blob'],
        method: undefined,
        path: undefined,
        minSize: 0,
        skip: 0,
        times: 1,
        fault: { kind: 'drop', at: 'answer', after: 65536, how: 'reset' },
      },
    ]);
  });

  const taken: readonly (readonly [string, Record<string, unknown>])[] = [
    ['several operations', { on: ['patch', 'put-blob'], fault: 'stall', at: 'body', after: 1 }],
    ['a path with stars', { path: '/v2/a/*/manifests/*', fault: 'delay', milliseconds: 5 }],
    ['for ever', { times: 'forever', fault: 'status', status: 429, headers: { 'retry-after': '4' } }],
    [
      'several values of a header',
      { fault: 'status', status: 401, headers: { 'www-authenticate': ['Negotiate', 'Basic'] } },
    ],
    ['a first connection', { on: 'connection', fault: 'drop' }],
    ['other headers', { fault: 'headers', set: { 'content-type': 'text/plain' }, remove: ['ETag'] }],
    ['an encoding', { fault: 'encode', encoding: 'zstd' }],
    ['a redirect', { fault: 'redirect', to: 'https://cdn.example.com{path}' }],
  ];
  it.each(taken)('may have %s', (_, rule) => {
    expect(parseFaults(script(rule))).toHaveLength(1);
  });

  const refused: readonly (readonly [string, string, string])[] = [
    ['no JSON', '{', 'not JSON'],
    ['a list', '[]', 'not an object'],
    ['no rules', '{}', '"faults" must be a list'],
    ['another member', '{"faults":[],"more":1}', '"more" means nothing'],
    ['an unknown fault', script({ fault: 'explode' }), 'rule 1: "fault" must be one of'],
    ['an unknown operation', script({ on: 'get-layer', fault: 'stall' }), '"on" must be one of'],
    ['a member of another fault', script({ fault: 'stall', status: 500 }), '"status" means nothing'],
    ['a number out of bounds', script({ fault: 'status', status: 99 }), '"status" must be a whole number'],
    ['a part of a byte', script({ fault: 'drop', at: 'answer', after: 1.5 }), '"after" must be a whole number'],
    ['a negative count', script({ skip: -1, fault: 'stall' }), '"skip" must be'],
    [
      'a header with a line break',
      script({ fault: 'status', status: 200, headers: { a: 'b\r\nc: d' } }),
      'cannot be sent',
    ],
    ['a header with a bad name', script({ fault: 'headers', set: { 'a b': 'c' } }), 'cannot be sent'],
    ['a status after the answer', script({ fault: 'status', status: 500, at: 'answer' }), '"at" must be one of'],
    ['a connection that stalls', script({ on: 'connection', fault: 'stall' }), 'can only be dropped'],
    ['more than a MiB', ' '.repeat(1024 * 1024 + 1), 'longer than'],
  ];
  it.each(refused)('with %s is refused', (_, text, why) => {
    expect(() => parseFaults(text)).toThrow(why);
    expect(() => parseFaults(text)).toThrow(expect.objectContaining({ code: 'INVALID_FAULTS' }));
  });
});
