import { expect, it } from '@jest/globals';
import { comparePins, formatLock, type Pin, pinsOf } from '../../../src/build/lock/lock-file.ts';
import { evaluate } from '../../../src/build/policy/evaluate.ts';
import { parsePolicy } from '../../../src/build/policy/source-policy.ts';

const image: Pin = {
  source: 'docker-image://docker.io/library/a:1',
  to: { identifier: 'docker-image://docker.io/library/a:1@sha256:1' },
};
const url: Pin = { source: 'https://h/f', to: { checksum: 'sha256:2' } };

it('a lock file is a source policy that does what its pins say, in whatever order they came', () => {
  expect(formatLock([url, image])).toBe(formatLock([image, url]));
  const policy = parsePolicy(formatLock([url, image]), 'lock');
  expect(evaluate(policy, { identifier: image.source, attributes: {} }).identifier).toMatch(/@sha256:1$/);
  expect(evaluate(policy, { identifier: url.source, attributes: {} }).attributes).toEqual({
    'http.checksum': 'sha256:2',
  });
});

it('pins come back from it; rules of another kind are none', () => {
  expect(pinsOf(parsePolicy(formatLock([url, image]), 'lock').rules)).toEqual([image, url]);
  const others = [
    { action: 'DENY', selector: { identifier: 'x', matchType: 'EXACT' } },
    { action: 'CONVERT', selector: { identifier: 'x*' }, updates: { identifier: 'y' } },
    { action: 'CONVERT', selector: { identifier: 'x', matchType: 'EXACT' }, updates: { attrs: { other: '1' } } },
  ];
  expect(pinsOf(parsePolicy(JSON.stringify({ rules: others }), 'lock').rules)).toEqual([]);
});

it('what changed is told by source', () => {
  const moved: Pin = { source: url.source, to: { checksum: 'sha256:3' } };
  expect(comparePins([image, url], [url, image])).toEqual([]);
  expect(comparePins([image, url], [moved])).toEqual([
    { source: image.source, before: 'docker-image://docker.io/library/a:1@sha256:1', after: undefined },
    { source: url.source, before: 'sha256:2', after: 'sha256:3' },
  ]);
});
