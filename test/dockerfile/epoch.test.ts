import { describe, expect, it } from '@jest/globals';
import { graphOf } from './build-inputs.ts';

const given = (value: string) =>
  ({ buildArgs: { SOURCE_DATE_EPOCH: value }, contexts: { src: 'tree', img: 'image' } }) as const;
const url = 'https://example.com/x.tgz';

const sources: readonly (readonly [rule: string, value: string, text: string, epoch: unknown])[] = [
  ['seconds', '17', 'FROM a', { kind: 'seconds', seconds: 17 }],
  ['seconds before 1970', '-1', 'FROM a', { kind: 'seconds', seconds: -1 }],
  ['nothing', '', 'FROM a', undefined],
  ['the context', 'context', 'FROM a', { kind: 'context' }],
  ['a named context', 'src', 'FROM a', { kind: 'context', name: 'src' }],
  ['a named context in any case', 'SRC', 'FROM a', { kind: 'context', name: 'src' }],
  ['a named context before a stage', 'src', 'FROM a AS src', { kind: 'context', name: 'src' }],
  ['a stage with a download', 's', `FROM scratch AS s\nADD ${url} /\nFROM a`, { kind: 'url', url }],
  ['a stage in any case', 'S', `FROM scratch AS s\nADD ${url} /\nFROM a`, { kind: 'url', url }],
  [
    'a stage with a repository',
    's',
    'FROM scratch AS s\nADD --keep-git-dir https://example.com/x.git#v1 /\nFROM a',
    { kind: 'git', url: 'https://example.com/x.git#v1', keepGitDir: true },
  ],
  [
    'a stage with arguments',
    's',
    'ARG H=example.com\nFROM scratch AS s\nARG V=x\nADD https://$H/$V.tgz /\nFROM a',
    { kind: 'url', url },
  ],
];

describe('SOURCE_DATE_EPOCH may be', () => {
  it.each(sources)('%s', (_, value, text, epoch) => {
    expect(graphOf(text, given(value)).epoch).toEqual(epoch);
  });

  it('a global ARG', () => {
    expect(graphOf('ARG SOURCE_DATE_EPOCH=5\nFROM a').epoch).toEqual({ kind: 'seconds', seconds: 5 });
  });
});

const mistakes: readonly (readonly [value: string, text: string, message: string])[] = [
  ['soon', 'FROM a', 'invalid SOURCE_DATE_EPOCH: soon'],
  ['s', 'FROM a AS s', 'SOURCE_DATE_EPOCH stage must use FROM scratch'],
  ['s', 'FROM scratch AS s\nFROM a', 'SOURCE_DATE_EPOCH stage must contain exactly one remote ADD'],
  ['s', `FROM scratch AS s\nADD ${url} /\nADD ${url} /\nFROM a`, 'must contain exactly one remote ADD'],
  ['s', `FROM scratch AS s\nADD ${url} ${url} /\nFROM a`, 'must contain exactly one remote ADD source'],
  ['s', 'FROM scratch AS s\nADD x /\nFROM a', 'stage source must be a single HTTP(S) or Git ADD'],
  [
    's',
    `FROM scratch AS s\nRUN x\nADD ${url} /\nFROM a`,
    'SOURCE_DATE_EPOCH stage does not meet source-only requirements: unsupported RUN instruction',
  ],
];

describe('SOURCE_DATE_EPOCH may not be', () => {
  it.each(mistakes)('%s in %j', (value, text, message) => {
    expect(() => graphOf(text, given(value))).toThrow(message);
  });
});

describe('what ARG sees of it', () => {
  const text = 'FROM a\nARG SOURCE_DATE_EPOCH\nENV E=$SOURCE_DATE_EPOCH';

  it('is the number', () => {
    expect(graphOf(text, given('17')).image.config.Env).toContain('E=17');
  });

  it('is nothing while the time is not found out', () => {
    expect(graphOf(text, given('context')).image.config.Env).toContain('E=');
  });
});
