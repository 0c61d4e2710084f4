import { describe, expect, it } from '@jest/globals';
import { dump, encodeText, parse } from '../../src/dockerfile/index.ts';

const lexing: readonly (readonly [rule: string, text: string, dumped: string])[] = [
  ['one instruction a line', 'FROM a\nRUN b', '(from "a")\n(run "b")\n'],
  ['names in any case', 'from a\nrUn b', '(from "a")\n(run "b")\n'],
  ['comments go', '# x\nFROM a\n # y\nRUN b', '(from "a")\n(run "b")\n'],
  ['blank lines go', '\n \n\tFROM a\n\n', '(from "a")\n'],
  ['a hash within a line is no comment', 'RUN a # b', '(run "a # b")\n'],
  ['a byte order mark goes', '\ufeffFROM a', '(from "a")\n'],
  ['carriage returns go', 'FROM a\r\nRUN b \\\r\n c\r\n', '(from "a")\n(run "b  c")\n'],
  ['blanks around go', '  RUN   a  b  ', '(run "a  b")\n'],
  ['tabs part words', 'COPY\ta\tb', '(copy "a" "b")\n'],
  ['a line goes on', 'RUN a \\\n  b', '(run "a   b")\n'],
  ['a line goes on without blanks', 'RUN a\\\nb', '(run "ab")\n'],
  ['blanks after the mark are allowed', 'RUN a \\ \t\nb', '(run "a b")\n'],
  ['an escaped mark is none', 'ENV A b\\\\\nRUN c', '(env "A" "b\\\\\\\\" "")\n(run "c")\n'],
  ['a mark alone in its line', 'RUN a \\\n\\\nb', '(run "a b")\n'],
  ['a mark before anything else', '\\\nFROM a', '(from "a")\n'],
  ['comments between continued lines go', 'RUN a \\\n# x\n  # y\n b', '(run "a  b")\n'],
  ['blank lines between continued lines go', 'RUN a \\\n\n \n b', '(run "a  b")\n'],
  ['a mark at the end of the file goes', 'RUN a \\', '(run "a")\n'],
  ['the escape can be a backtick', '# escape=`\nRUN a `\n b\\', '(run "a  b\\\\")\n'],
  ['directives know no case and take blanks', '#  ESCAPE  =  `\nRUN a `\nb', '(run "a b")\n'],
  ['after a comment there are no directives', '# x\n# escape=`\nRUN a `\nRUN b', '(run "a `")\n(run "b")\n'],
  ['after a blank line neither', '\n# escape=`\nRUN a `\nRUN b', '(run "a `")\n(run "b")\n'],
  ['an unknown one ends them', '# foo=bar\n# escape=`\nRUN a `\nRUN b', '(run "a `")\n(run "b")\n'],
  ['several directives', '# syntax=x\n# check=skip=all\n# escape=`\nRUN a `\nb', '(run "a b")\n'],
  ['flags come first', 'COPY --from=a --chown=b c d', '(copy ["--from=a" "--chown=b"] "c" "d")\n'],
  ['flags lose their quotes', 'RUN --mount="type=a b",x c', '(run ["--mount=type=a b,x"] "c")\n'],
  ['flags lose their escapes', 'RUN --a=b\\ c d', '(run ["--a=b c"] "d")\n'],
  ['two dashes in quotes end flags too', "COPY --'' --c d", '(copy "--c" "d")\n'],
  ['a check keeps blanks of other scripts', 'HEALTHCHECK CMD \u00a0x', '(healthcheck "CMD" "\\u00a0x")\n'],
  ['two dashes end flags', 'COPY --a=b -- --c d', '(copy ["--a=b"] "--c" "d")\n'],
  ['after the first word nothing is a flag', 'RUN a --b', '(run "a --b")\n'],
  ['one dash is no flag', 'RUN -a', '(run "-a")\n'],
  ['a JSON array', 'CMD ["a", "b c"]', '(cmd "a" "b c")\n'],
  ['an empty JSON array', 'CMD []', '(cmd)\n'],
  ['an array with single quotes is text', "CMD ['a']", '(cmd "[\'a\']")\n'],
  ['an array with text behind it is text', 'CMD ["a"] b', '(cmd "[\\"a\\"] b")\n'],
  ['escapes of JSON', 'CMD ["\\u00e9\\n\\ud800"]', '(cmd "é\\n\ufffd")\n'],
  ['COPY takes an array', 'COPY ["a b", "c"]', '(copy "a b" "c")\n'],
  ['VOLUME takes both', 'VOLUME /a /b\nVOLUME ["/c"]', '(volume "/a" "/b")\n(volume "/c")\n'],
  ['ENV pairs', 'ENV A=1 B="x y" C=a\\ b', '(env "A" "1" "=" "B" "\\"x y\\"" "=" "C" "a\\\\ b" "=")\n'],
  ['ENV in the old form', 'ENV A  b  c', '(env "A" "b  c" "")\n'],
  ['ENV in the old form with an equals sign later', 'ENV A b=c', '(env "A" "b=c" "")\n'],
  ['LABEL pairs', 'LABEL "a b"=c d=', '(label "\\"a b\\"" "c" "=" "d" "" "=")\n'],
  ['a value with an equals sign', 'ENV A=b=c', '(env "A" "b=c" "=")\n'],
  ['ARG words', 'ARG A B=1 C="x y"', '(arg "A" "B=1" "C=\\"x y\\"")\n'],
  [
    'HEALTHCHECK in both forms',
    'HEALTHCHECK CMD a b\nHEALTHCHECK CMD ["c"]',
    '(healthcheck "CMD" "a b")\n(healthcheck "CMD" "c")\n',
  ],
  ['HEALTHCHECK NONE', 'HEALTHCHECK NONE', '(healthcheck "NONE")\n'],
  ['one text for USER', 'USER a b', '(user "a b")\n'],
  ['ONBUILD holds an instruction', 'ONBUILD COPY --from=x a b', '(onbuild (copy ["--from=x"] "a" "b"))\n'],
  ['ONBUILD of ONBUILD is still readable', 'ONBUILD ONBUILD RUN a', '(onbuild (onbuild (run "a")))\n'],
  ['ONBUILD alone', 'ONBUILD', '(onbuild)\n'],
  ['an unknown instruction is still readable', 'FOO bar', '(foo "")\n'],
  ['an instruction without arguments', 'RUN', '(run)\n'],
  ['heredocs are not shown', 'RUN <<A <<B\n1\nA\n2\nB\nCMD c', '(run "<<A <<B")\n(cmd "c")\n'],
];

describe('parse', () => {
  it.each(lexing)('%s', (_, text, dumped) => {
    expect(dump(parse(text))).toBe(dumped);
  });

  it('keeps lines, flags, comments and heredocs of an instruction', () => {
    const { instructions } = parse('# escape=`\n# about b\nFROM a AS b\nCOPY --link <<-"E" `\n /x\n\tone\n\tE\n');
    expect(instructions).toEqual([
      {
        name: 'FROM',
        range: { start: 3, end: 3 },
        flags: [],
        args: ['a', 'AS', 'b'],
        json: false,
        line: 'FROM a AS b',
        heredocs: [],
        comments: ['about b'],
      },
      {
        name: 'COPY',
        range: { start: 4, end: 7 },
        flags: ['--link'],
        args: ['<<-"E"', '/x'],
        json: false,
        line: 'COPY --link <<-"E"  /x',
        heredocs: [{ name: 'E', fileDescriptor: 0, expand: false, chomp: true, content: '\tone\n' }],
        comments: [],
      },
    ]);
  });

  it('notes empty lines between continued ones', () => {
    expect(parse('FROM a\nRUN b \\\n\nc').notes).toEqual([{ kind: 'empty-continuation', line: 4 }]);
  });

  it('keeps directives with their lines', () => {
    expect(parse('# syntax=docker/dockerfile:1 \n# check=skip=all\nFROM a').directives).toEqual([
      { name: 'syntax', value: 'docker/dockerfile:1', line: 1 },
      { name: 'check', value: 'skip=all', line: 2 },
    ]);
  });

  it('comments belong to the instruction below them', () => {
    const { instructions } = parse('FROM a\n# b\nRUN c\nRUN d\n# e\n');
    expect(instructions.map(({ comments }) => comments)).toEqual([[], ['b'], []]);
  });

  it('an empty comment parts comments', () => {
    expect(parse('# a\n#\n# b\nFROM x').instructions[0]?.comments).toEqual(['b']);
  });

  it('shows bytes that are no UTF-8 as Go does', () => {
    const bytes = Buffer.from([...Buffer.from('RUN a'), 0xff, 0xc3, 0x28, ...Buffer.from('é')]);
    expect(dump(parse(bytes))).toBe('(run "a\\xff\\xc3(é")\n');
  });

  it('loses no byte of them', () => {
    const bytes = Buffer.from([0x52, 0x55, 0x4e, 0x20, 0xed, 0xa0, 0x80, 0xf8, 0xf0, 0x9f, 0x98, 0x80]);
    expect(Buffer.from(encodeText(parse(bytes).source.text))).toEqual(bytes);
  });
});

const failures: readonly (readonly [text: string, code: string, message: string])[] = [
  ['', 'EMPTY', 'file with no instructions'],
  ['# only this\n', 'EMPTY', 'file with no instructions'],
  ['FROM a\nENV A', 'SYNTAX', 'dockerfile parse error on line 2: ENV must have two arguments'],
  ['FROM a\nLABEL A', 'SYNTAX', 'dockerfile parse error on line 2: LABEL must have two arguments'],
  ['ENV A=1 B', 'SYNTAX', 'Syntax error - can\'t find = in "B". Must be of the form: name=value'],
  ['CMD ["a", 1]', 'SYNTAX', 'when using JSON array syntax, arrays must be comprised of strings only'],
  ['CMD ["a", ["b"]]', 'SYNTAX', 'arrays must be comprised of strings only'],
  ['# escape=x\nFROM a', 'SYNTAX', "line 1: invalid escape token 'x' does not match ` or \\"],
  ['# escape=`\n# escape=`\nFROM a', 'SYNTAX', 'line 2: only one escape parser directive can be used'],
  ['# syntax=a\n# SYNTAX=b\nFROM a', 'SYNTAX', 'only one syntax parser directive can be used'],
  ['FROM a\nRUN <<EOF\nx\n', 'SYNTAX', 'line 2: unterminated heredoc'],
  ['FROM a\nRUN cat <<A; cat <<B\n1\nA\n2\nB\n', 'SYNTAX', 'unterminated heredoc'],
  [`${'ONBUILD '.repeat(100)}RUN a`, 'SYNTAX', 'ONBUILD is nested too deeply'],
];

describe('parse refuses', () => {
  it.each(failures)('%j', (text, code, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it('with the lines in question marked', () => {
    expect(() => parse('FROM a\n\nRUN ok\nENV \\\n  A\nRUN b\nRUN c', { name: 'web.Dockerfile' })).toThrow(
      expect.objectContaining({
        range: { start: 4, end: 5 },
        details: [
          'web.Dockerfile:4:1',
          '--------------------',
          '   3 |     RUN ok',
          '   4 | >>> ENV \\',
          '   5 | >>>   A',
          '   6 |     RUN b',
          '--------------------',
        ],
      }),
    );
  });
});
