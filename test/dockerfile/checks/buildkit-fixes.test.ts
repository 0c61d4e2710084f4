import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyFixes } from '../../../src/dockerfile/checks/apply-fixes.ts';
import type { Finding } from '../../../src/dockerfile/checks/finding.ts';
import { fixFor } from '../../../src/dockerfile/checks/fixes/buildkit-fixes.ts';
import { FileFacts } from '../../../src/dockerfile/checks/fixes/file-facts.ts';
import { type Instruction, parse } from '../../../src/dockerfile/index.ts';
import type { Part } from '../../../src/dockerfile/part.ts';
import { Positions } from '../../../src/dockerfile/position.ts';
import { graphOf } from '../build-inputs.ts';
import '../../property-seed.ts';

/** `same` where there is no fix. */
type Case = readonly [what: string, text: string, fixed: string];

const cases: Readonly<Record<string, readonly Case[]>> = {
  StageNameCasing: [
    ['a name', 'FROM a AS Build', 'FROM a AS build'],
    ['a name behind a flag', 'FROM --platform=linux/amd64 a as BUILD', 'FROM --platform=linux/amd64 a as build'],
    ['a name on another line', 'FROM a \\\n  AS BuilD\n', 'FROM a \\\n  AS build\n'],
    ['the name, not the base that is called so too', 'FROM build AS Build', 'FROM build AS build'],
    ['no name in lower case', 'FROM a AS build', 'same'],
    ['no missing name', 'FROM a', 'same'],
  ],
  FromAsCasing: [
    ['as', 'FROM a as b', 'FROM a AS b'],
    ['AS', 'from a AS b\nrun c', 'from a as b\nrun c'],
    ['As', 'FROM a As b', 'FROM a AS b'],
    ['FROM, where the others are upper case', 'from a AS b\nRUN c\nRUN d', 'FROM a AS b\nRUN c\nRUN d'],
    ['AS on another line', 'FROM a \\\n  as b', 'FROM a \\\n  AS b'],
  ],
  ConsistentInstructionCasing: [
    ['lower case among upper case', 'FROM a\nrun b\nRUN c', 'FROM a\nRUN b\nRUN c'],
    ['upper case among lower case', 'from a\nrun b\nRUN c', 'from a\nrun b\nrun c'],
    ['mixed case', 'FROM a\nRun b', 'FROM a\nRUN b'],
    ['upper case in a draw', 'FROM a\nrun b', 'FROM a\nRUN b'],
    [
      'ARGs before FROM without counting them',
      'arg a\narg b\narg c\nFROM d\nRUN e\nrun f',
      'arg a\narg b\narg c\nFROM d\nRUN e\nRUN f',
    ],
    ['FROM with its AS', 'From a as b\nRUN c', 'FROM a AS b\nRUN c'],
    ['ONBUILD without its trigger', 'FROM a\nonbuild run b', 'FROM a\nONBUILD run b'],
    ['a keyword behind blanks', 'FROM a\n \trun b', 'FROM a\n \tRUN b'],
  ],
  NoEmptyContinuation: [
    ['an empty line', 'FROM a\nRUN b && \\\n\n  c', 'FROM a\nRUN b && \\\n  c'],
    ['several', 'FROM a\nRUN b \\\n\n \t\n  c \\\n\n d\nRUN e', 'FROM a\nRUN b \\\n  c \\\n d\nRUN e'],
    ['not the comments', 'FROM a\nRUN b \\\n# x\n\n  c', 'FROM a\nRUN b \\\n# x\n  c'],
    ['not the lines behind it', 'FROM a\nRUN b \\\n\n c\n\nRUN d', 'FROM a\nRUN b \\\n c\n\nRUN d'],
    ['not a heredoc’s lines', 'FROM a\nRUN b \\\n\n <<E\n\nc\n\nE', 'FROM a\nRUN b \\\n <<E\n\nc\n\nE'],
    ['carriage returns', 'FROM a\r\nRUN b \\\r\n\r\n c\r\n', 'FROM a\r\nRUN b \\\r\n c\r\n'],
    ['the file’s end', 'FROM a\nRUN b \\\n\n', 'FROM a\nRUN b \\\n'],
    ['each instruction by itself', 'FROM a\nRUN b \\\n\n c\nRUN d \\\n\n e', 'FROM a\nRUN b \\\n c\nRUN d \\\n e'],
  ],
  MaintainerDeprecated: [
    [
      'a name',
      'FROM a\nMAINTAINER Ada <ada@example.com>',
      'FROM a\nLABEL org.opencontainers.image.authors="Ada <ada@example.com>"',
    ],
    ['lower case', 'from a\nmaintainer Ada\nrun b', 'from a\nlabel org.opencontainers.image.authors="Ada"\nrun b'],
    ['quotes', 'FROM a\nMAINTAINER "Ada L."', 'FROM a\nLABEL org.opencontainers.image.authors="Ada L."'],
    [
      'quotes within',
      'FROM a\nMAINTAINER Ada "L" \\ $X',
      'FROM a\nLABEL org.opencontainers.image.authors="Ada \\"L\\" \\\\ \\$X"',
    ],
    [
      'a backtick as escape',
      '# escape=`\nFROM a\nMAINTAINER A$ `"\\',
      '# escape=`\nFROM a\nLABEL org.opencontainers.image.authors="A`$ ```"\\"',
    ],
  ],
  LegacyKeyValueFormat: [
    ['a word', 'FROM a\nENV b c', 'FROM a\nENV b=c'],
    ['words', 'FROM a\nENV b c d', 'FROM a\nENV b="c d"'],
    ['blanks within', 'FROM a\nENV b   c  d', 'FROM a\nENV b="c  d"'],
    ['a label', 'FROM a\nLABEL b c d', 'FROM a\nLABEL b="c d"'],
    ['a variable', 'FROM a\nENV PATH /b:$PATH', 'FROM a\nENV PATH=/b:$PATH'],
    ['variables among words', 'FROM a\nENV b -x $c ${d:-e}', 'FROM a\nENV b="-x $c ${d:-e}"'],
    ['quotes around all', 'FROM a\nENV b "c d"', 'FROM a\nENV b="c d"'],
    ['quotes around a part', 'FROM a\nENV b c "d e" f', 'FROM a\nENV b="c d e f"'],
    ['single quotes', "FROM a\nENV b c '$d \"'", 'FROM a\nENV b="c \\$d \\""'],
    ['escaped quotes', 'FROM a\nENV b c \\"d\\"', 'FROM a\nENV b="c \\"d\\""'],
    ['an escaped blank', 'FROM a\nENV b c\\ d', 'FROM a\nENV b=c\\ d'],
    ['an equals sign', 'FROM a\nENV b c=d e', 'FROM a\nENV b="c=d e"'],
    ['continued lines', 'FROM a\nENV b c \\\n  d', 'FROM a\nENV b="c \\\n  d"'],
    ['a value that begins on the next line', 'FROM a\nENV b \\\n  c \\\n  d', 'FROM a\nENV b="c \\\n  d"'],
    ['no comment between name and value', 'FROM a\nENV b \\\n  # x\n  c', 'same'],
    ['a backtick as escape', '# escape=`\nFROM a\nENV b C:\\d `"e`"', '# escape=`\nFROM a\nENV b="C:\\d `"e`""'],
    ['nothing that is written so already', 'FROM a\nENV b=c', 'same'],
  ],
  ExposeProtoCasing: [
    ['a protocol', 'FROM a\nEXPOSE 80/TCP', 'FROM a\nEXPOSE 80/tcp'],
    ['each of several', 'FROM a\nEXPOSE 80/Udp 81 82-83/TCP', 'FROM a\nEXPOSE 80/udp 81 82-83/tcp'],
    ['nothing with variables', 'FROM a\nEXPOSE ${B:-80}/TCP', 'same'],
  ],
  ExposeInvalidFormat: [
    ['an address', 'FROM a\nEXPOSE 127.0.0.1:80:81', 'FROM a\nEXPOSE 81'],
    ['a port of the host', 'FROM a\nEXPOSE 8080:80/tcp 9', 'FROM a\nEXPOSE 80/tcp 9'],
    ['an address of version 6', 'FROM a\nEXPOSE [::1]:80-81:81-82/udp', 'FROM a\nEXPOSE 81-82/udp'],
    ['nothing with variables', 'FROM a\nEXPOSE ${B:-81}:80', 'same'],
  ],
  RedundantTargetPlatform: [
    ['the flag', 'FROM --platform=$TARGETPLATFORM a AS b', 'FROM a AS b'],
    ['the flag in braces and quotes', 'FROM  --platform="${TARGETPLATFORM}"  a', 'FROM  a'],
    ['the flag on a line', 'FROM \\\n  --platform=$TARGETPLATFORM \\\n  a', 'FROM \\\n  \\\n  a'],
  ],
  JSONArgsRecommended: [
    ['plain words', 'FROM a\nCMD node  server.js --port=80', 'FROM a\nCMD ["node", "server.js", "--port=80"]'],
    ['an entrypoint', 'FROM a\nENTRYPOINT /bin/b', 'FROM a\nENTRYPOINT ["/bin/b"]'],
    ['exec', 'FROM a\nENTRYPOINT exec b c', 'FROM a\nENTRYPOINT ["b", "c"]'],
    ['continued lines', 'FROM a\nCMD b \\\n  c', 'FROM a\nCMD ["b", "c"]'],
    [
      'another stage’s partner',
      'FROM a\nENTRYPOINT ["b"]\nFROM c\nCMD d',
      'FROM a\nENTRYPOINT ["b"]\nFROM c\nCMD ["d"]',
    ],
    ['no variable', 'FROM a\nCMD b $C', 'same'],
    ['no quotes', 'FROM a\nCMD b "c d"', 'same'],
    ['no operators', 'FROM a\nCMD b && c', 'same'],
    ['no redirection', 'FROM a\nCMD b > c', 'same'],
    ['no pattern', 'FROM a\nCMD b *', 'same'],
    ['no home', 'FROM a\nCMD ~/b', 'same'],
    ['no assignment', 'FROM a\nCMD B=c d', 'same'],
    ['no builtin', 'FROM a\nCMD cd /b', 'same'],
    ['no CMD with an entrypoint', 'FROM a\nENTRYPOINT ["b"]\nCMD c', 'same'],
    ['no entrypoint with a CMD', 'FROM a\nENTRYPOINT b\nCMD ["c"]', 'same'],
    ['no script, which may have no interpreter', 'FROM a\nCMD /b.sh', 'same'],
    ['no shell of Windows', 'FROM b/windows/nanoserver\nCMD dir', 'same'],
    ['no lines with comments', 'FROM a\nCMD b \\\n # x\n c', 'same'],
  ],
};

const keywords: Readonly<Record<string, RegExp>> = {
  StageNameCasing: /^from$/i,
  FromAsCasing: /^from$/i,
  MaintainerDeprecated: /^maintainer$/i,
  LegacyKeyValueFormat: /^(?:env|label)$/i,
  ExposeProtoCasing: /^expose$/i,
  ExposeInvalidFormat: /^expose$/i,
  RedundantTargetPlatform: /^from$/i,
  JSONArgsRecommended: /^(?:cmd|entrypoint)$/i,
};

describe.each(Object.keys(cases))('%s', (rule) => {
  it.each(cases[rule] ?? [])('mends %s', (_, text, fixed) => {
    const expected = fixed === 'same' ? text : fixed;
    expect(mended(rule, text)).toBe(expected);
    expect(mended(rule, expected)).toBe(expected);
  });

  it.each(cases[rule] ?? [])('leaves the image as it is, with %s', (_, text) => {
    if (rule === 'JSONArgsRecommended' || rule === 'MaintainerDeprecated') return;
    const known = { buildArgs: {}, bases: { a: { config: { Env: ['PATH=/x', 'c=1 2', 'd=3'] } } } };
    const { image, steps } = graphOf(mended(rule, text), known);
    const before = graphOf(text, known);
    expect(image.config).toEqual(before.image.config);
    expect(steps.map(({ kind }) => kind)).toEqual(before.steps.map(({ kind }) => kind));
  });
});

describe('MAINTAINER as a label', () => {
  it.each(['Ada <ada@example.com>', 'Ada "L" \\', '$X ${X}', "it's", '`'])('keeps %s', (name) => {
    const text = `FROM a\nMAINTAINER ${name}`;
    expect(labelOf(mended('MaintainerDeprecated', text))).toBe(graphOf(text).image.author);
  });

  const authors = fc.stringMatching(/^[a-z][a-z $"'\\`{}<>@.#]*[a-z]$/);
  it('keeps any name', () => {
    fc.assert(
      fc.property(authors, (name) => {
        const text = `FROM a\nMAINTAINER ${name}`;
        expect(labelOf(mended('MaintainerDeprecated', text))).toBe(graphOf(text).image.author);
      }),
    );
  });
});

describe('ENV with an equals sign', () => {
  const pieces = fc.constantFrom('b', ' ', '  ', '"', "'", '\\', '$X', '${X}', '${X:-y z}', '=', '#', '`', '$');
  it('has the value that it had', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), fc.constantFrom('', 'v', 'v w', '"'), (parts, value) => {
        const text = `FROM a\nENV k b${parts.join('')}b`;
        const before = envOf(text, value);
        if (before !== undefined) expect(envOf(mended('LegacyKeyValueFormat', text), value)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });
});

it('mends the port that is meant', () => {
  const text = 'FROM a\nEXPOSE 80/TCP 81/UDP';
  expect(mended('ExposeProtoCasing', text, { text: '81/UDP' })).toBe('FROM a\nEXPOSE 80/TCP 81/udp');
  expect(mended('ExposeProtoCasing', text, { arg: 0 })).toBe('FROM a\nEXPOSE 80/tcp 81/UDP');
});

it('has no fix for rules whose meaning only the author knows', () => {
  const ast = parse('FROM a\nWORKDIR b');
  const [instruction] = ast.instructions;
  if (instruction === undefined) throw new Error('no instruction');
  const positions = new Positions({ text: ast.source.text, escape: ast.escape });
  for (const rule of ['WorkdirRelativePath', 'UndefinedVar', 'DuplicateStageName', 'toString']) {
    expect(fixFor(rule, { ast, facts: new FileFacts(ast), positions, instruction })).toBeUndefined();
  }
});

/** The text with one rule's fixes for all its instructions. */
function mended(rule: string, text: string, part?: Part): string {
  const ast = parse(text);
  const positions = new Positions({ text, escape: ast.escape });
  const findings = ast.instructions
    .filter(({ name }) => keywords[rule]?.test(name) ?? isCounted(rule, name))
    .flatMap((instruction) =>
      finding(rule, instruction, fixFor(rule, { ast, facts: new FileFacts(ast), positions, instruction, part })),
    );
  return applyFixes(text, findings).text;
}

/** ARG before FROM is no part of a stage; in these files there is no other. */
function isCounted(rule: string, name: string): boolean {
  return rule !== 'ConsistentInstructionCasing' || name.toLowerCase() !== 'arg';
}

function finding(rule: string, { range }: Instruction, fix: Finding['fix']): Finding[] {
  if (fix === undefined) return [];
  const place = { line: range.start, column: 1 };
  return [{ rule, description: '', message: '', range, start: place, end: place, fix }];
}

function labelOf(text: string): string | undefined {
  return graphOf(text).image.config.Labels?.['org.opencontainers.image.authors'];
}

function envOf(text: string, value: string): readonly string[] | undefined {
  try {
    return graphOf(text, { bases: { a: { config: { Env: value === '' ? [] : [`X=${value}`] } } } }).image.config.Env;
  } catch {
    return undefined;
  }
}
