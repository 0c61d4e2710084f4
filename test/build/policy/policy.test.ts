import { describe, expect, it } from '@jest/globals';
import { evaluate } from '../../../src/build/policy/evaluate.ts';
import { parsePolicy } from '../../../src/build/policy/source-policy.ts';
import { gitIdentifier, imageIdentifier, policedImage, policedSteps } from '../../../src/build/policy/sources.ts';
import { type CopySource, parseGitUrl, type Step } from '../../../src/dockerfile/index.ts';

const digest = `sha256:${'d'.repeat(64)}`;
const commit = 'c'.repeat(40);

const policyOf = (...rules: readonly object[]) => parsePolicy(JSON.stringify({ rules }), 'policy.json');
const rule = (action: string, identifier: string, rest: object = {}) => ({ action, selector: { identifier }, ...rest });
const source = (identifier: string, attributes: Record<string, string> = {}) => ({ identifier, attributes });

describe('a source policy', () => {
  it.each<readonly [rule: string, rules: readonly object[], asked: string, found: string]>([
    [
      'that says nothing of a source leaves it',
      [rule('DENY', 'docker-image://other')],
      'docker-image://a',
      'docker-image://a',
    ],
    [
      'converts one source into another',
      [rule('CONVERT', 'docker-image://a', { updates: { identifier: 'docker-image://b' } })],
      'docker-image://a',
      'docker-image://b',
    ],
    [
      'asks anew of what it converted to',
      [
        rule('CONVERT', 'docker-image://b', { updates: { identifier: 'docker-image://c' } }),
        rule('CONVERT', 'docker-image://a', { updates: { identifier: 'docker-image://b' } }),
      ],
      'docker-image://a',
      'docker-image://c',
    ],
    [
      'fills in what wildcards matched',
      [
        rule('CONVERT', 'docker-image://docker.io/*:?', {
          updates: { identifier: 'docker-image://mirror/${1}:v${2}' },
        }),
      ],
      'docker-image://docker.io/library/x:1',
      'docker-image://mirror/library/x:v1',
    ],
    [
      'fills in what groups matched',
      [
        {
          action: 'CONVERT',
          selector: { identifier: '^docker-image://docker\\.io/(\\w+)/', matchType: 'REGEX' },
          updates: { identifier: 'docker-image://mirror/${1}' },
        },
      ],
      'docker-image://docker.io/library/x:1',
      'docker-image://mirror/library',
    ],
    [
      'takes an exact name for what it is',
      [
        {
          action: 'CONVERT',
          selector: { identifier: 'docker-image://*', matchType: 'EXACT' },
          updates: { identifier: 'docker-image://b' },
        },
      ],
      'docker-image://a',
      'docker-image://a',
    ],
    [
      'may allow after it denied',
      [rule('DENY', '*'), rule('ALLOW', 'docker-image://a')],
      'docker-image://a',
      'docker-image://a',
    ],
    [
      'takes numbers for words',
      [
        {
          action: 2,
          selector: { identifier: 'docker-image://a', matchType: 1 },
          updates: { identifier: 'docker-image://b' },
        },
      ],
      'docker-image://a',
      'docker-image://b',
    ],
  ])('%s', (_, rules, asked, found) => {
    expect(evaluate(policyOf(...rules), source(asked)).identifier).toBe(found);
  });

  it.each<readonly [rule: string, rules: readonly object[], code: string]>([
    ['denies what a rule denies', [rule('DENY', 'docker-image://*')], 'SOURCE_DENIED'],
    ['denies what is denied last', [rule('ALLOW', '*'), rule('DENY', '*')], 'SOURCE_DENIED'],
    [
      'denies what a source is converted to',
      [
        rule('DENY', 'docker-image://b'),
        rule('CONVERT', 'docker-image://a', { updates: { identifier: 'docker-image://b' } }),
      ],
      'SOURCE_DENIED',
    ],
    [
      'may not lead in a circle',
      [
        rule('CONVERT', 'docker-image://a', { updates: { identifier: 'docker-image://b' } }),
        rule('CONVERT', 'docker-image://b', { updates: { identifier: 'docker-image://a' } }),
      ],
      'POLICY_INVALID',
    ],
    [
      'may not grow without end',
      [rule('CONVERT', 'docker-image://*', { updates: { identifier: 'docker-image://${1}x' } })],
      'POLICY_INVALID',
    ],
    [
      'may not have an expression that is none',
      [{ action: 'DENY', selector: { identifier: '(', matchType: 'REGEX' } }],
      'POLICY_INVALID',
    ],
  ])('%s', (_, rules, code) => {
    expect(() => evaluate(policyOf(...rules), source('docker-image://a'))).toThrow(expect.objectContaining({ code }));
  });

  it('may ask for attributes', () => {
    const policy = policyOf({
      action: 'DENY',
      selector: {
        identifier: 'https://*',
        constraints: [{ key: 'http.checksum', value: '^sha256:', condition: 'MATCHES' }],
      },
    });
    expect(() => evaluate(policy, source('https://x', { 'http.checksum': digest }))).toThrow();
    expect(evaluate(policy, source('https://x'))).toEqual(source('https://x'));
  });
});

describe('a policy file', () => {
  it.each<readonly [rule: string, text: string, message: RegExp]>([
    ['is JSON', '{', /it is not JSON/],
    ['is an object', '[]', /the document is not an object/],
    ['has a version that is known', '{"version":2}', /version 2 is not known/],
    ['has a list of rules', '{"rules":{}}', /rules is not a list/],
    [
      'has actions that are known',
      '{"rules":[{"action":"PIN","selector":{"identifier":"a"}}]}',
      /rules\[0\]\.action is none of/,
    ],
    ['names sources', '{"rules":[{"action":"DENY","selector":{}}]}', /rules\[0\]\.selector\.identifier is not a text/],
    [
      'has texts for attributes',
      '{"rules":[{"selector":{"identifier":"a"},"updates":{"attrs":{"a":1}}}]}',
      /updates\.attrs\.a is not a text/,
    ],
    [
      'has texts of a reasonable length',
      JSON.stringify({ rules: [rule('DENY', 'x'.repeat(9000))] }),
      /longer than 8192/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => parsePolicy(text, 'p.json')).toThrow(
      expect.objectContaining({ code: 'POLICY_INVALID', exitCode: 125, message: expect.stringMatching(message) }),
    );
  });
});

describe('how policies name', () => {
  it.each([
    ['debian', 'docker-image://docker.io/library/debian:latest'],
    ['ghcr.io/a/b:1', 'docker-image://ghcr.io/a/b:1'],
    [`a/b@${digest}`, `docker-image://docker.io/a/b@${digest}`],
  ])('the image %s', (name, identifier) => {
    expect(imageIdentifier(name)).toBe(identifier);
  });

  it.each([
    ['https://github.com/a/b.git', 'git://github.com/a/b.git'],
    ['https://user:pass@github.com/a/b.git#main', 'git://github.com/a/b.git#main'],
    ['git@github.com:a/b.git#v1:sub', 'git://github.com/a/b.git#v1:sub'],
    ['ssh://git@host:2222/a.git', 'git://host:2222/a.git'],
    ['https://host/a.git?subdir=x', 'git://host/a.git#:x'],
  ])('the repository %s', (url, identifier) => {
    const parsed = parseGitUrl(url);
    expect(parsed && gitIdentifier(parsed)).toBe(identifier);
  });
});

describe('sources under a policy', () => {
  const policing = (locked: boolean, ...rules: readonly object[]) => ({ policy: policyOf(...rules), locked });
  const copy = (each: CopySource): Step => ({
    id: 's',
    kind: 'copy',
    title: '',
    stage: '',
    input: undefined,
    sources: [each],
    destination: '/',
    link: false,
    parents: false,
    exclude: [],
    unpack: 'auto',
  });
  const sourceOf = (each: CopySource, given: ReturnType<typeof policing>) =>
    policedSteps([copy(each)], given).flatMap((step) => (step.kind === 'copy' ? step.sources : []));
  const git = (url: string): CopySource => ({ kind: 'git', url, keepGitDir: false });

  it('images keep the name that was written unless they are converted', () => {
    const pin = rule('CONVERT', 'docker-image://docker.io/library/a:latest', {
      updates: { identifier: `docker-image://docker.io/library/a:latest@${digest}` },
    });
    expect(policedImage('b', policing(false, pin))).toBe('b');
    expect(policedImage('a', policing(true, pin))).toBe(`docker.io/library/a:latest@${digest}`);
  });

  it('downloads get their checksum', () => {
    const pin = rule('CONVERT', 'https://h/f', { updates: { attrs: { 'http.checksum': digest } } });
    expect(sourceOf({ kind: 'url', url: 'https://h/f' }, policing(true, pin))).toEqual([
      { kind: 'url', url: 'https://h/f', checksum: digest },
    ]);
  });

  it('repositories get their commit, and are reached and used as before', () => {
    const pin = rule('CONVERT', 'git://h/a.git#main:sub', { updates: { identifier: `git://h/a.git#${commit}:sub` } });
    const [found] = sourceOf(git('https://h/a.git?submodules=false&ref=main#main:sub'), policing(true, pin));
    expect(found).toEqual({
      kind: 'git',
      url: `https://h/a.git?submodules=false#${commit}:sub`,
      checksum: commit,
      keepGitDir: false,
    });
  });

  it.each<readonly [rule: string, use: () => unknown]>([
    ['an image without a digest', () => policedImage('a', policing(true))],
    ['a download without a checksum', () => sourceOf({ kind: 'url', url: 'https://h/f' }, policing(true))],
    ['a repository without a commit', () => sourceOf(git('https://h/a.git#main'), policing(true))],
  ])('where all must be pinned, %s is refused', (_, use) => {
    expect(use).toThrow(expect.objectContaining({ code: 'NOT_LOCKED' }));
  });

  it('what is pinned where it is written needs no lock', () => {
    expect(policedImage(`a@${digest}`, policing(true))).toBe(`a@${digest}`);
    expect(sourceOf(git(`https://h/a.git#${commit}`), policing(true))).toHaveLength(1);
    expect(sourceOf(git(`https://h/a.git?checksum=${commit}#main`), policing(true))).toHaveLength(1);
    expect(sourceOf({ kind: 'url', url: 'https://h/f', checksum: digest }, policing(true))).toHaveLength(1);
  });

  it('a checksum in the Dockerfile is not overruled by a lock file', () => {
    const pin = rule('CONVERT', 'https://h/f', { updates: { attrs: { 'http.checksum': digest } } });
    const other = { kind: 'url', url: 'https://h/f', checksum: `sha256:${'0'.repeat(64)}` } as const;
    expect(() => sourceOf(other, policing(true, pin))).toThrow(expect.objectContaining({ code: 'NOT_LOCKED' }));
    expect(sourceOf({ ...other, checksum: digest }, policing(true, pin))).toHaveLength(1);
    expect(sourceOf(other, policing(false, pin))).toEqual([{ ...other, checksum: digest }]);
  });

  it.each<readonly [rule: string, to: string]>([
    ['a download', 'https://h/f'],
    ['another kind of thing', 'git://h/a.git'],
  ])('an image cannot become %s', (_, to) => {
    const odd = rule('CONVERT', 'docker-image://*', { updates: { identifier: to } });
    expect(() => policedImage('a', policing(false, odd))).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
  });
});
