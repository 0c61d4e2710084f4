import { describe, expect, it } from '@jest/globals';
import {
  applyFixes,
  check,
  createIgnoreMatcher,
  format,
  lineRanges,
  ownRules,
  parse,
} from '../../src/dockerfile/index.ts';
import { inputs } from './build-inputs.ts';

const many = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');
const long = 'a'.repeat(1_000_000);

describe('what lines multiply has an end, with a place', () => {
  const tooMuch = 'the Dockerfile comes to more than a build can hold';
  const refused: readonly (readonly [rule: string, file: string, message: string, line: number])[] = [
    [
      'a long value in many flags',
      `FROM a\nENV A=/${long}\nRUN ${'--mount=type=cache,target=$A '.repeat(300)}x\n`,
      tooMuch,
      3,
    ],
    ['a long value in many paths', `FROM a\nENV A=/${long}\nCOPY ${'$A '.repeat(300)}/x\n`, tooMuch, 3],
    [
      'a long value in many defaults',
      `ARG A=${long}\nARG ${many(300, (index) => `B${index}=$A `)}\nFROM a\n`,
      tooMuch,
      2,
    ],
    [
      'triggers of a base that many stages begin with',
      `FROM a AS b\n${'ONBUILD RUN x\n'.repeat(1000)}${'FROM b\n'.repeat(101)}`,
      'bases bring more than 100000 ONBUILD triggers',
      1102,
    ],
  ];

  it.each(refused)('%s', (_, file, message, line) => {
    const { error } = check(parse(file), inputs(), new Map());
    expect(error?.message).toBe(message);
    expect(error?.position?.line).toBe(line);
  });
});

describe('what one file can be full of', () => {
  const findings = (file: string) => check(parse(file), inputs(), new Map(), { rules: ownRules });

  it('findings are kept up to ten thousand', () => {
    const file = `FROM scratch\nENV ${many(10_001, (index) => `PASSWORD_${index}=1 `)}\n`;
    expect(findings(file).findings).toHaveLength(10_000);
  });

  it('a port that is written again and again is not mended beyond a hundred places', () => {
    const fixesOf = (count: number) =>
      findings(`FROM scratch\nEXPOSE ${'80/TCP '.repeat(count)}\n`).findings.map(({ fix }) => fix?.edits.length);
    expect(new Set(fixesOf(100))).toEqual(new Set([100]));
    expect(new Set(fixesOf(101))).toEqual(new Set([undefined]));
  });

  it('an instruction of more than a hundred lines has one range for all', () => {
    expect(lineRanges({ start: 1, end: 100 }).ranges).toHaveLength(100);
    expect(lineRanges({ start: 1, end: 101 }).ranges).toEqual([{ start: { line: 1 }, end: { line: 101 } }]);
  });

  it.each([
    ['words', `RUN wget ${'http://x/y '.repeat(150_000)}`],
    ['options of what starts a program', `RUN env ${'-i '.repeat(200_000)}x`],
    ['folders in a path', `COPY ${'a/'.repeat(50_000)}x /y`],
    ['comments within a line', `RUN a \\\n${'# b\n'.repeat(200_000)} c`],
    ['heredocs', `RUN cat ${many(50_000, (index) => `<<E${index} `)}\n${many(50_000, (index) => `E${index}\n`)}`],
  ])('any number of %s', (_, line) => {
    const ast = parse(`FROM scratch\n${line}\n`);
    const { error } = check(ast, inputs({ ignore: ['b'] }), new Map(), { rules: ownRules });
    expect(error).toBeUndefined();
    expect(() => format(ast)).not.toThrow();
  });

  it('a path of any depth is asked for', () => {
    expect(createIgnoreMatcher(['**/b', '!c']).matches(`${'a/'.repeat(50_000)}b`)).toBe(true);
  });
});

describe('fixes that do not suit a file', () => {
  const at = { range: { start: 1, end: 1 }, start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

  it('stay out, and the others go in', () => {
    const text = 'FROM a\n'.repeat(40);
    const findings = Array.from({ length: 40 }, (_, index) => {
      const start = 7 * index;
      const edits = [{ start, end: start + 4, text: index % 13 === 5 ? 'WHAT' : 'from' }];
      return { rule: 'X', description: '', message: '', ...at, fix: { title: '', edits } };
    });
    const { applied, left } = applyFixes(text, findings);
    expect([applied.length, left.length]).toEqual([37, 3]);
  });
});
