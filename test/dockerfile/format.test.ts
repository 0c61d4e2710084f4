import { describe, expect, it } from '@jest/globals';
import { encodeText, format, parse } from '../../src/dockerfile/index.ts';

type Case = readonly [rule: string, before: string, after: string];

const long = (name: string) => `${name}=${'x'.repeat(60)}`;

const files: readonly Case[] = [
  ['a formatted file stays', 'FROM a\n\nRUN b\n', 'FROM a\n\nRUN b\n'],
  ['the last line has its end', 'FROM a', 'FROM a\n'],
  ['empty lines at the beginning and the end go', '\n \nFROM a\n\n\n', 'FROM a\n'],
  ['of several empty lines one stays', 'FROM a\n\n \t\n\nRUN b\n', 'FROM a\n\nRUN b\n'],
  ['none is added', 'FROM a\nFROM b\n', 'FROM a\nFROM b\n'],
  ['a byte order mark goes', '\ufeffFROM a\n', 'FROM a\n'],
  ['a second one belongs to the keyword', '\ufeff\ufeffFROM a\n', '\ufeff\ufeffFROM a\n'],
  ['lines end as in Unix', 'FROM a\r\nRUN b \\\r\n  c\r\n', 'FROM a\nRUN b \\\n  c\n'],
  ['blanks around a line go', '\t FROM a \t\n', 'FROM a\n'],
  ['a mark that continues nothing goes', 'FROM a\nRUN b \\\n\n', 'FROM a\nRUN b\n'],
  ['but not where the text would then go on', 'FROM a\nRUN b\\ \\\n', 'FROM a\nRUN b\\ \\\n'],
  ['a mark before anything goes', '\\\n\\\nFROM a\n', 'FROM a\n'],
];

const directives: readonly Case[] = [
  ['directives have one form', '#  ESCAPE  =  `\nFROM a `\n  AS b\n', '# escape=`\nFROM a `\n    AS b\n'],
  ['in their order', '#syntax = x\n #check=skip=all\nFROM a\n', '# syntax=x\n# check=skip=all\nFROM a\n'],
  ['an empty line behind them stays', '#syntax=x\n\n\nFROM a\n', '# syntax=x\n\nFROM a\n'],
  ['a comment does not become one', '\n\n#escape=`\nFROM a\n', '\n# escape=`\nFROM a\n'],
  ['nor does one behind them', '# syntax=x\n\n#escape=`\nFROM a\n', '# syntax=x\n\n# escape=`\nFROM a\n'],
  ['a comment that is none moves up', '\n# note\nFROM a\n', '# note\nFROM a\n'],
];

const comments: readonly Case[] = [
  ['a comment gets a blank', '#note \nFROM a\n', '# note\nFROM a\n'],
  ['more blanks stay, for lists in comments', '#  - one\n#\ttwo\nFROM a\n', '#  - one\n#\ttwo\nFROM a\n'],
  ['a row of marks stays', '####\n## x\nFROM a\n', '####\n## x\nFROM a\n'],
  ['a line for the kernel stays', '#!/usr/bin/x\nFROM a\n', '#!/usr/bin/x\nFROM a\n'],
  ['an empty comment stays', '# a\n#  \n# b\nFROM a\n', '# a\n#\n# b\nFROM a\n'],
  ['comments begin in the first column', 'FROM a\n  #note\n\tRUN b\n', 'FROM a\n# note\nRUN b\n'],
  ['in a list they stand with the words', 'COPY a \\\n#b\n  c\n', 'COPY a \\\n    # b\n    c\n'],
  ['in the text of a command where they are', 'RUN a \\\n #b\n  c\n', 'RUN a \\\n # b\n  c\n'],
  ['between flags with the flags', 'RUN --a=b \\\n#c\n --d=e f\n', 'RUN --a=b \\\n    # c\n    --d=e \\\n    f\n'],
  ['within a word with the word', 'LABEL a="b\\\n#c\nd"\n', 'LABEL a="b\\\n# c\nd"\n'],
  ['before the keyword they do not describe it', '\\\n#c\nFROM a\n', '\\\n# c\nFROM a\n'],
  ['behind the last line they are plain ones', 'RUN a \\\n\n  #b\n', 'RUN a\n# b\n'],
  ['no word becomes one', 'COPY a \\\n#c\nb \\\n  d #e f\n', 'COPY a \\\n    # c\n    b \\\n    d #e f\n'],
  ['not even in a list of pairs', `ENV A=1 \\\n B=2 #C=3\n`, 'ENV A=1 \\\n    B=2 #C=3\n'],
];

const keywords: readonly Case[] = [
  ['keywords are capitals', 'from a\nrUn b\n', 'FROM a\nRUN b\n'],
  ['so is AS; the name stays', 'FROM a as Base\n', 'FROM a AS Base\n'],
  ['only between image and name', 'FROM as as as\nFROM a b as\n', 'FROM as AS as\nFROM a b as\n'],
  [
    'so are CMD and NONE of a health check',
    'healthcheck cmd a\nHEALTHCHECK none\n',
    'HEALTHCHECK CMD a\nHEALTHCHECK NONE\n',
  ],
  ['an unknown one too', 'frm a\n', 'FRM a\n'],
  ['what is not letters stays', 'r-u ä\n', 'r-u ä\n'],
  ['what ONBUILD triggers goes into the image as text', 'onbuild   run  a  b\n', 'ONBUILD run  a  b\n'],
  ['a keyword over two lines is one word', 'FR\\\nOM a\n', 'FROM a\n'],
  ['a keyword alone', 'run\n', 'RUN\n'],
];

const words: readonly Case[] = [
  ['one blank parts words', 'COPY  a\t b   /c \n', 'COPY a b /c\n'],
  ['lines stay as they are broken', 'EXPOSE 80 81 \\\n  82 83\n', 'EXPOSE 80 81 \\\n    82 83\n'],
  ['also behind the keyword', 'VOLUME\\\n  /a \\\n\t/b\n', 'VOLUME \\\n    /a \\\n    /b\n'],
  ['empty lines between go', 'COPY a \\\n\n \n b\n', 'COPY a \\\n    b\n'],
  ['marks alone between go', 'COPY a \\\n  \\\n b\n', 'COPY a \\\n    b\n'],
  ['blanks behind a mark go', 'COPY a \\ \t\n b\n', 'COPY a \\\n    b\n'],
  ['a mark has a blank before it', 'COPY a\\\n b\n', 'COPY a \\\n    b\n'],
  ['a word over two lines stays so', 'COPY /long\\\n/name \\\n b\n', 'COPY /long\\\n/name \\\n    b\n'],
  ['a long COPY is not broken', `COPY ${'a '.repeat(80)}b\n`, `COPY ${'a '.repeat(80)}b\n`],
  ['an array that is none stays', 'COPY ["a",  b]\nVOLUME ["a"]  b\n', 'COPY ["a",  b]\nVOLUME ["a"]  b\n'],
  ['a rare blank keeps all', 'COPY  a\v b\n', 'COPY a\v b\n'],
];

const pairs: readonly Case[] = [
  ['pairs of one line stay on it', 'ENV A=1   B="2  3"\n', 'ENV A=1 B="2  3"\n'],
  ['of several lines each gets one', 'ENV A=1 B=2 \\\n  C=3\n', 'ENV A=1 \\\n    B=2 \\\n    C=3\n'],
  ['the first stands where it stood', 'LABEL \\\n  a=b c=d\n', 'LABEL \\\n    a=b \\\n    c=d\n'],
  ['too long a line is broken', `ENV ${long('A')} ${long('B')}\n`, `ENV ${long('A')} \\\n    ${long('B')}\n`],
  ['ARG too', 'ARG A B=1 \\\n C\n', 'ARG A \\\n    B=1 \\\n    C\n'],
  ['quotes and escapes stay', `ENV A='x  y' B=a\\ b\\\\ C="\\""\n`, `ENV A='x  y' B=a\\ b\\\\ C="\\""\n`],
  ['a value over lines stays so', 'LABEL a="b \\\n  c"  d=e\n', 'LABEL a="b \\\n  c" d=e\n'],
  ['the old form stays', 'ENV A   b  c\n', 'ENV A b  c\n'],
  ['with its lines', 'ENV A \\\n\t\tb \\\n\t\tc\n', 'ENV A \\\n\t\tb \\\n\t\tc\n'],
  ['an old pair does not become a new one', 'ENV a\\  b=c\n', 'ENV a\\  b=c\n'],
];

const texts: readonly Case[] = [
  ['the text of a command stays', 'RUN   a  &&\\\n\tb  \\\n   \\\n  c \n', 'RUN a  &&\\\n\tb  \\\n   \\\n  c\n'],
  ['without the empty lines in it', 'RUN a \\\n\n  b\n', 'RUN a \\\n  b\n'],
  ['lines of its own keep their depth', 'RUN \\\n  a \\\n  b\n', 'RUN \\\n  a \\\n  b\n'],
  ['a single line has four blanks', 'CMD \\\n  a b\n', 'CMD \\\n    a b\n'],
  ['flags are parted by one blank', 'RUN  --network=none   a\n', 'RUN --network=none a\n'],
  [
    'flags stay as they are written',
    'RUN --mount="type=bind, x"  --a=b\\ c d\n',
    'RUN --mount="type=bind, x" --a=b\\ c d\n',
  ],
  ['flags of several lines get one each', 'RUN --a --b \\\n  --c d\n', 'RUN --a \\\n    --b \\\n    --c \\\n    d\n'],
  [
    'before lines of two blanks they have two',
    'RUN --a \\\n  --b \\\n  c \\\n  d\n',
    'RUN --a \\\n  --b \\\n  c \\\n  d\n',
  ],
  ['before tabs a tab', 'RUN --a \\\n  --b \\\n\t\tc; \\\n\t\td\n', 'RUN --a \\\n\t--b \\\n\t\tc; \\\n\t\td\n'],
  ['two dashes that end flags stay', 'RUN --a  --  --b\n', 'RUN --a -- --b\n'],
  ['so with COPY', 'COPY --from=a \\\n --link b c\n', 'COPY --from=a \\\n    --link \\\n    b c\n'],
  ['and HEALTHCHECK', 'HEALTHCHECK --interval=1s \\\n\tCMD a\n', 'HEALTHCHECK --interval=1s \\\n    CMD a\n'],
  ['one text for USER', 'USER  a  b\n', 'USER a  b\n'],
];

const arrays: readonly Case[] = [
  ['arrays have one spacing', 'CMD [ "a","b" ,  "c"]\n', 'CMD ["a", "b", "c"]\n'],
  ['empty ones too', 'CMD [ ]\n', 'CMD []\n'],
  ['strings have one escaping', 'CMD ["\\u00e9\\/\\u0009\\"", "\\u200b"]\n', 'CMD ["é/\\t\\"", "\\u200b"]\n'],
  ['half a character stays', 'CMD ["\\ud800"]\n', 'CMD ["\\ud800"]\n'],
  [
    'lines stay as they are broken',
    'CMD [ \\\n "a",\\\n "b" , "c"\\\n]\n',
    'CMD [ \\\n    "a", \\\n    "b", "c" \\\n]\n',
  ],
  ['a comma goes to the end of its line', 'CMD ["a" \\\n , "b"]\n', 'CMD ["a", \\\n    "b"]\n'],
  ['comments stay between', 'CMD ["a", \\\n # b\n "c"]\n', 'CMD ["a", \\\n    # b\n    "c"]\n'],
  ['a string over lines stays', 'CMD ["a \\\n  b","c"]\n', 'CMD ["a \\\n  b", "c"]\n'],
  ['a health check has one', 'HEALTHCHECK  CMD ["a","b"]\n', 'HEALTHCHECK CMD ["a", "b"]\n'],
  ['what is no array is text', "CMD ['a',  'b']\n", "CMD ['a',  'b']\n"],
];

const heredocs: readonly Case[] = [
  ['bodies stay', 'run  <<EOF\n  a \n\n\n#b\nEOF\nRUN c', 'RUN <<EOF\n  a \n\n\n#b\nEOF\nRUN c\n'],
  ['with their line ends', 'COPY <<A  /a\r\nb\r\nA\r\n', 'COPY <<A /a\nb\r\nA\n'],
  ['and the tabs before the last word', 'RUN <<-A\n\tb\n\tA', 'RUN <<-A\n\tb\n\tA\n'],
  ['several', 'COPY <<A   <<B /c\n1\nA\n2\nB\n', 'COPY <<A <<B /c\n1\nA\n2\nB\n'],
  ['flags do not push one to a line of its own', 'RUN --a \\\n  --b <<A\nA\n', 'RUN --a \\\n    --b <<A\nA\n'],
  ['escapes beside one keep all', 'COPY a\\  <<A /b\nA\n', 'COPY a\\  <<A /b\nA\n'],
];

describe.each([
  ['files', files],
  ['directives', directives],
  ['comments', comments],
  ['keywords', keywords],
  ['word lists', words],
  ['pairs', pairs],
  ['flags and texts', texts],
  ['JSON arrays', arrays],
  ['heredocs', heredocs],
])('format: %s', (_, cases) => {
  it.each(cases)('%s', (_rule, before, after) => {
    expect(format(parse(before))).toBe(after);
    expect(format(parse(after))).toBe(after);
  });
});

describe('format', () => {
  it('loses no byte that is not UTF-8', () => {
    const bytes = Buffer.from('run  echo \xff\nCMD [ "\xfe" ]\n#\xfd', 'latin1');
    const after = Buffer.from('RUN echo \xff\nCMD ["\xfe"]\n# \xfd\n', 'latin1');
    expect(Buffer.from(encodeText(format(parse(bytes))))).toEqual(after);
  });
});
