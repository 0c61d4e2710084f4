import { describe, expect, it } from '@jest/globals';
import { docComment, parse, targetsOf } from '../../src/dockerfile/index.ts';
import { formatTargets } from '../../src/ui/index.ts';

const file = `FROM a
# base has the tools
# base has nothing else
FROM --platform=$BUILDPLATFORM b:1 AS Base

# not a word of it
FROM base \\
  AS web
`;

describe('the targets of a file', () => {
  it('are its stages as data', () => {
    expect(targetsOf(parse(file))).toEqual({
      targets: [
        { base: 'a', location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] } },
        {
          name: 'base',
          description: 'has the tools',
          base: 'b:1',
          platform: '$BUILDPLATFORM',
          location: { ranges: [{ start: { line: 4 }, end: { line: 4 } }] },
        },
        {
          name: 'web',
          default: true,
          base: 'base',
          location: {
            ranges: [
              { start: { line: 7 }, end: { line: 7 } },
              { start: { line: 8 }, end: { line: 8 } },
            ],
          },
        },
      ],
      sources: [Buffer.from(file).toString('base64')],
    });
  });

  it('come with the very bytes of the file', () => {
    const bytes = Buffer.from('\ufeffFROM a\n#', 'utf8');
    const broken = Buffer.concat([bytes, Buffer.of(0xff)]);
    expect(targetsOf(parse(broken)).sources).toEqual([broken.toString('base64')]);
  });

  it.each([
    ['the last stage is the default', 'FROM a\nFROM b AS x', 'TARGET      DESCRIPTION\n            \nx (default) \n'],
    ['a default without a name', 'FROM a AS x\nFROM b', 'TARGET    DESCRIPTION\nx         \n(default) \n'],
    [
      'descriptions stand in a column',
      '# x one\nFROM a AS x\n# yy two\nFROM b AS yy',
      'TARGET       DESCRIPTION\nx            one\nyy (default) two\n',
    ],
    [
      'a tab in a description begins a column',
      '# x a\tb\nFROM a AS x\n# y aaa\tb\nFROM a AS y',
      'TARGET      DESCRIPTION\nx           a   b\ny (default) aaa b\n',
    ],
    [
      'a byte that is no text is a mark',
      Buffer.from('# x \xff\nFROM a AS x', 'latin1'),
      'TARGET      DESCRIPTION\nx (default) \ufffd\n',
    ],
  ])('are printed: %s', (_, text, expected) => {
    expect(formatTargets(targetsOf(parse(text)))).toBe(expected);
  });
});

describe('the comment that documents a name', () => {
  it.each<readonly [rule: string, comments: readonly string[], name: string, found: string]>([
    ['begins with it', ['build makes it'], 'build', 'makes it'],
    ['is the first that does', ['other x', 'build one', 'build two'], 'build', 'one'],
    ['has the same letter case', ['Build x'], 'build', ''],
    ['has a blank behind the name', ['builder x', 'build:x', 'build\tx', 'build'], 'build', ''],
    ['keeps further blanks', ['build   x '], 'build', '  x '],
    ['is none without a name', [' x'], '', ''],
    ['is none without comments', [], 'build', ''],
  ])('%s', (_, comments, name, found) => {
    expect(docComment(comments, name)).toBe(found);
  });

  it.each([
    ['right above', '# x one\nFROM a AS x', 'one'],
    ['above an empty line', '# x one\n\nFROM a AS x', 'one'],
    ['above an empty comment', '# x one\n#\nFROM a AS x', undefined],
    ['above another instruction', '# x one\nARG a\nFROM a AS x', undefined],
    ['below a directive', '# escape=`\n# x one\nFROM a AS x', 'one'],
  ])('counts for a stage %s', (_, text, description) => {
    expect(targetsOf(parse(text)).targets[0]?.description).toBe(description);
  });
});
