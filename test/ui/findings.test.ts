import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { check, DockerfileError, parse } from '../../src/dockerfile/index.ts';
import { type CheckedFile, type FindingsFormat, formatFindings } from '../../src/ui/index.ts';
import { inputs } from '../dockerfile/build-inputs.ts';

function checked(text: string, name = 'Dockerfile'): CheckedFile {
  const bytes = Buffer.from(text);
  try {
    return { name, bytes, text, report: check(parse(text, { name }), inputs(), new Map()) };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return { name, bytes, text, report: { findings: [], error, unknown: [], failOnFindings: false } };
  }
}

function shown(format: FindingsFormat, ...files: CheckedFile[]): string {
  return formatFindings(files, { format, version: '1.2.3' });
}

function json(format: 'json' | 'sarif', ...files: CheckedFile[]) {
  return JSON.parse(shown(format, ...files));
}

describe('findings for people', () => {
  it('are counted, and shown where they stand', () => {
    expect(shown('human', checked('FROM a as b\nRUN c\n'))).toBe(
      [
        'Check complete, 1 warning has been found!',
        '',
        'WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
        "'as' and 'FROM' keywords' casing do not match",
        'Dockerfile:1:8',
        '--------------------',
        '   1 | >>> FROM a as b',
        '     |            ^',
        '   2 |     RUN c',
        '   3 |',
        '--------------------',
        '',
        '1 of 1 can be mended by slipway check --fix',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['nothing is found', ['FROM a'], 'Check complete, no warnings found.\n'],
    ['several files are right', ['FROM a', 'FROM b'], 'Check complete, no warnings found.\n'],
  ])('where %s', (_, texts, expected) => {
    expect(shown('human', ...texts.map((text) => checked(text)))).toBe(expected);
  });

  it('of several files are counted together', () => {
    const text = shown('human', checked('FROM a as b', 'one'), checked('FROM a\nCMD b', 'two'));
    expect(text.split('\n')[0]).toBe('Check complete, 2 warnings have been found!');
    expect(text).toContain('\none:1:8\n');
    expect(text).toContain('\ntwo:2:1\n');
  });

  it('say so where there are more than are kept', () => {
    const text = shown('human', checked(`FROM a\n${'ENV b c\n'.repeat(10_001)}`));
    expect(text).toMatch(/^Check complete, 10000 warnings have been found!\n/);
    expect(text).toContain('\nDockerfile has more than these: 10000 of a file are kept\n');
  });

  it('end with what makes a build impossible', () => {
    const text = shown('human', checked('FROM a as b\nENV c=${d'));
    expect(text).toContain('Check complete, 1 warning has been found!');
    expect(text).toContain('ERROR: failed to process "${d": syntax error: missing \'}\'\nDockerfile:2:7\n');
  });

  it('are not called complete where nothing could be checked', () => {
    expect(shown('human', checked('FORM a'))).toMatch(/^ERROR: .* \(did you mean FROM\?\)\n/);
  });

  it.each<FindingsFormat>(['json', 'sarif', 'github'])('cannot act on the terminal as %s', (format) => {
    const file = checked('FROM a\nWORKDIR \u009b31m\u202ex\u007f', 'D\u009b');
    const text = shown(format, file);
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    if (format !== 'github') expect(text).toContain('\\u202e');
  });

  it('cannot act on the terminal', () => {
    expect(shown('human', checked('FROM a\nUSER $\u009b31m\u001b]0;x\u0007'))).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});

describe('findings as JSON', () => {
  it('have the form of BuildKit’s, and columns', () => {
    const text = 'FROM a\nENV b \\\n c\n';
    expect(json('json', checked('FROM x', 'one'), checked(text, 'two'))).toEqual({
      warnings: [
        {
          ruleName: 'LegacyKeyValueFormat',
          description: 'Legacy key/value format with whitespace separator should not be used',
          url: 'https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/',
          detail: '"ENV key=value" should be used instead of legacy "ENV key value" format',
          location: {
            sourceIndex: 1,
            ranges: [
              { start: { line: 2 }, end: { line: 2 } },
              { start: { line: 3 }, end: { line: 3 } },
            ],
          },
          start: { line: 2, column: 1 },
          end: { line: 2, column: 4 },
          fix: { title: 'write b=…', edits: [{ start: 12, end: 16, text: '=' }] },
        },
      ],
      sources: [
        { filename: 'one', language: 'Dockerfile', data: Buffer.from('FROM x').toString('base64') },
        { filename: 'two', language: 'Dockerfile', data: Buffer.from(text).toString('base64') },
      ],
      unknownBases: [
        { sourceIndex: 0, name: 'x' },
        { sourceIndex: 1, name: 'a' },
      ],
    });
  });

  it('name what makes a build impossible', () => {
    const { buildError, buildErrors } = json('json', checked('FROM a\nFORM b'), checked('FROM c'), checked(''));
    expect(buildErrors).toEqual([
      {
        message: 'dockerfile parse error on line 2: unknown instruction: FORM (did you mean FROM?)',
        location: { ranges: [{ start: { line: 2 }, end: { line: 2 } }] },
        start: { line: 2, column: 1 },
      },
      { message: 'file with no instructions', location: { sourceIndex: 2 } },
    ]);
    expect(buildError).toEqual(buildErrors[0]);
  });
});

describe('findings as SARIF', () => {
  it('name rules once, and places', () => {
    const log = json('sarif', checked('FROM a as b\nFROM c as d', './sub folder/Dockerfile'));
    expect(log).toMatchObject({ version: '2.1.0', $schema: 'https://json.schemastore.org/sarif-2.1.0.json' });
    const [run] = log.runs;
    expect(run.tool.driver).toEqual({
      name: 'slipway',
      semanticVersion: '1.2.3',
      rules: [
        {
          id: 'FromAsCasing',
          name: 'FromAsCasing',
          shortDescription: { text: "The 'as' keyword should match the case of the 'from' keyword" },
          helpUri: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
          defaultConfiguration: { level: 'warning' },
        },
      ],
    });
    expect(run.results).toHaveLength(2);
    expect(run.results[1]).toEqual({
      ruleId: 'FromAsCasing',
      ruleIndex: 0,
      level: 'warning',
      message: { text: "'as' and 'FROM' keywords' casing do not match" },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'sub%20folder/Dockerfile', index: 0 },
            region: { startLine: 2, startColumn: 8, endLine: 2, endColumn: 10 },
          },
        },
      ],
      fixes: [
        {
          description: { text: 'write AS' },
          artifactChanges: [
            {
              artifactLocation: { uri: 'sub%20folder/Dockerfile', index: 0 },
              replacements: [{ deletedRegion: { charOffset: 19, charLength: 2 }, insertedContent: { text: 'AS' } }],
            },
          ],
        },
      ],
    });
  });

  it('count no byte order mark', () => {
    const [run] = json('sarif', checked('\ufeffFROM a as b')).runs;
    const [{ locations, fixes }] = run.results;
    expect(locations[0].physicalLocation.region).toMatchObject({ startLine: 1, startColumn: 8 });
    expect(fixes[0].artifactChanges[0].replacements[0].deletedRegion).toEqual({ charOffset: 7, charLength: 2 });
  });

  it('have an error where the file cannot be built', () => {
    const [run] = json('sarif', checked('FROM a\nCOPY --form=b c d')).runs;
    expect(run.results).toEqual([
      expect.objectContaining({
        ruleId: 'InvalidDockerfile',
        level: 'error',
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'Dockerfile', index: 0 },
              region: { startLine: 2, startColumn: 6 },
            },
          },
        ],
      }),
    ]);
  });
});

describe('findings for GitHub', () => {
  it.each([
    [
      'on one line have columns',
      'FROM a as b',
      "::warning file=Dockerfile,line=1,endLine=1,col=8,endColumn=10,title=FromAsCasing::'as' and 'FROM' keywords' casing do not match\n",
    ],
    [
      'of instructions on several lines stand at the word',
      'FROM a\nENV b \\\n c',
      '::warning file=Dockerfile,line=2,endLine=2,col=1,endColumn=4,title=LegacyKeyValueFormat::"ENV key=value" should be used instead of legacy "ENV key value" format\n',
    ],
    [
      'may be errors',
      'FROM a\nCOPY --form=b c d',
      '::error file=Dockerfile,line=2,col=6,title=Dockerfile::dockerfile parse error on line 2: unknown flag: --form (did you mean from?)\n',
    ],
  ])('%s', (_, text, expected) => {
    expect(shown('github', checked(text))).toBe(expected);
  });

  it('escape what the format reads', () => {
    const text = shown('github', checked('FROM a\nWORKDIR b%c', 'a,b:c%'));
    expect(text).toContain('file=a%2Cb%3Ac%25,');
    expect(text).toContain('"b%25c"');
  });
});
