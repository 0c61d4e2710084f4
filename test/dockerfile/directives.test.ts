import { describe, expect, it } from '@jest/globals';
import { dump, parse } from '../../src/dockerfile/index.ts';

/** Directives as `name=value@line`. */
function directives(text: string): string[] {
  return parse(text).directives.map(({ name, value, line }) => `${name}=${value}@${line}`);
}

const zone: readonly (readonly [rule: string, text: string, found: readonly string[]])[] = [
  ['one in the first line', '# escape=`\nFROM a', ['escape=`@1']],
  [
    'one after another',
    '# syntax=x\n# escape=`\n# check=skip=all\nFROM a',
    ['syntax=x@1', 'escape=`@2', 'check=skip=all@3'],
  ],
  ['in any order', '# check=error=true\n# syntax=x\nFROM a', ['check=error=true@1', 'syntax=x@2']],
  ['without blanks', '#escape=`\nFROM a', ['escape=`@1']],
  ['with blanks everywhere', ' #\t escape \t=  ` \nFROM a', ['escape=`@1']],
  ['in any letter case', '# EsCaPe=`\nFROM a', ['escape=`@1']],
  ['with a value in its own letter case', '# syntax=Docker/File:1\nFROM a', ['syntax=Docker/File:1@1']],
  ['with more equals signs', '# check=skip=A;error=true\nFROM a', ['check=skip=A;error=true@1']],
  ['behind a byte order mark', '\ufeff# escape=`\nFROM a', ['escape=`@1']],
  ['with a carriage return', '# escape=`\r\nFROM a', ['escape=`@1']],
  ['with the escape that is anyway', '# escape=\\\nFROM a', ['escape=\\@1']],
  ['none after a comment', '# x\n# escape=`\nFROM a', []],
  ['none after an empty comment', '#\n# escape=`\nFROM a', []],
  ['none after a blank line', '\n# escape=`\nFROM a', []],
  ['none after a line of blanks', ' \t\n# escape=`\nFROM a', []],
  ['none after an instruction', 'FROM a\n# escape=`\nRUN b', []],
  ['none after an unknown one', '# foo=bar\n# escape=`\nFROM a', []],
  ['none after one without a value', '# syntax=\n# escape=`\nFROM a', []],
  ['none after one without a name', '# =x\n# escape=`\nFROM a', []],
  ['none with two hashes', '## escape=`\nFROM a', []],
  ['none with a blank in its name', '# es cape=`\nFROM a', []],
  ['a comment may follow', '# escape=`\n# x\n# syntax=y\nFROM a', ['escape=`@1']],
];

describe('the directives', () => {
  it.each(zone)('%s', (_, text, found) => {
    expect(directives(text)).toEqual(found);
  });

  it.each([
    ['# escape=x\nFROM a', "dockerfile parse error on line 1: invalid escape token 'x' does not match ` or \\"],
    ['# escape=\\\\\nFROM a', "line 1: invalid escape token '\\\\' does not match ` or \\"],
    ['# escape=` `\nFROM a', "line 1: invalid escape token '` `' does not match ` or \\"],
    ['# syntax=x\n# escape=ä\nFROM a', "line 2: invalid escape token 'ä' does not match ` or \\"],
    ['# escape=`\n# ESCAPE=\\\nFROM a', 'line 2: only one escape parser directive can be used'],
    ['# check=skip=A\n# check=skip=B\nFROM a', 'line 2: only one check parser directive can be used'],
    ['# syntax=x\n# escape=`\n# syntax=x\nFROM a', 'line 3: only one syntax parser directive can be used'],
  ])('%j is refused', (text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'SYNTAX', message: expect.stringContaining(message) }),
    );
  });
});

/** Each in a file whose escape is the backtick. */
const backtick: readonly (readonly [rule: string, text: string, dumped: string])[] = [
  ['continues a line', 'RUN a `\n b', '(run "a  b")\n'],
  ['continues it with blanks behind', 'RUN a ` \t\n b', '(run "a  b")\n'],
  ['twice continues nothing', 'RUN a ``\nRUN b', '(run "a ``")\n(run "b")\n'],
  ['leaves a backslash at the end alone', 'RUN a \\\nRUN b', '(run "a \\\\")\n(run "b")\n'],
  ['leaves the paths of Windows alone', 'COPY a c:\\x\\', '(copy "a" "c:\\\\x\\\\")\n'],
  ['holds a blank in a value', 'ENV A=b` c D=e', '(env "A" "b` c" "=" "D" "e" "=")\n'],
  ['holds no blank by a backslash', 'ARG A=b\\ C', '(arg "A=b\\\\" "C")\n'],
  ['holds a blank in a flag', 'COPY --chown=a` b c d', '(copy ["--chown=a b"] "c" "d")\n'],
  ['holds a quote in a value', 'ENV A="b`"c"', '(env "A" "\\"b`\\"c\\"" "=")\n'],
  ['means nothing in JSON', 'CMD ["a`", "b\\\\c"]', '(cmd "a`" "b\\\\c")\n'],
  ['at the end of the file goes', 'RUN a `', '(run "a")\n'],
];

describe('the backtick as escape', () => {
  it.each(backtick)('%s', (_, text, dumped) => {
    expect(dump(parse(`# escape=\`\n${text}`))).toBe(dumped);
  });
});

/** The same file in different bytes. */
const encodings: readonly (readonly [rule: string, text: string])[] = [
  ['line feeds', '# x\nFROM a\nRUN b \\\n  c\nCMD d\n'],
  ['carriage returns', '# x\r\nFROM a\r\nRUN b \\\r\n  c\r\nCMD d\r\n'],
  ['a byte order mark', '\ufeff# x\nFROM a\nRUN b \\\n  c\nCMD d\n'],
  ['a byte order mark right before FROM', '\ufeffFROM a\nRUN b \\\n  c\nCMD d\n'],
  ['no end of the last line', 'FROM a\nRUN b \\\n  c\nCMD d'],
  ['blanks before instructions', '  FROM a\n\tRUN b \\\n  c\n \t CMD d'],
  ['blanks behind instructions', 'FROM a  \nRUN b \\  \n  c\t\nCMD d \n'],
  ['blank lines', '\n\nFROM a\n\n\nRUN b \\\n  c\n \nCMD d\n\n'],
  ['comments', '#\nFROM a\n# x\nRUN b \\\n# y\n  c\n  # z\nCMD d\n# end'],
  ['names in lower case', 'from a\nrun b \\\n  c\ncmd d'],
  ['names in mixed case', 'From a\nrUN b \\\n  c\nCmd d'],
];

describe('a file says the same with', () => {
  it.each(encodings)('%s', (_, text) => {
    expect(dump(parse(text))).toBe('(from "a")\n(run "b   c")\n(cmd "d")\n');
  });

  it('bytes instead of text', () => {
    const text = '\ufeff# escape=`\r\nFROM ä `\r\n AS b';
    expect(dump(parse(Buffer.from(text)))).toBe(dump(parse(text)));
  });

  it('a second byte order mark belongs to the name', () => {
    expect(parse('\ufeff\ufeffFROM a').instructions[0]?.name).toBe('\ufeffFROM');
  });
});

const comments: readonly (readonly [rule: string, text: string, comments: readonly string[]])[] = [
  ['right above', '# a\nFROM x', ['a']],
  ['several', '# a\n# b\nFROM x', ['a', 'b']],
  ['with blanks around trimmed', '#   a  \nFROM x', ['a']],
  ['with hashes of their own', '## a # b\nFROM x', ['# a # b']],
  ['parted by an empty one', '# a\n#\n# b\nFROM x', ['b']],
  ['no directive', '# syntax=x\n# a\nFROM x', ['a']],
];

describe('comments of an instruction', () => {
  it.each(comments)('%s', (_, text, expected) => {
    expect(parse(text).instructions[0]?.comments).toEqual(expected);
  });

  it('belong to one instruction only', () => {
    expect(parse('# a\nFROM x\nRUN y').instructions[1]?.comments).toEqual([]);
  });
});
