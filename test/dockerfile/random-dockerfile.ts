import fc from 'fast-check';
import type { Escape } from '../../src/dockerfile/index.ts';

type Text = fc.Arbitrary<string>;

const some = (...values: string[]): Text => fc.constantFrom(...values);
const joined = (...parts: Text[]): Text => fc.tuple(...parts).map((texts) => texts.join(''));
const listOf = (part: Text, separator: Text, size = 4): Text =>
  fc
    .array(fc.tuple(part, separator), { minLength: 1, maxLength: size })
    .map((pairs) => pairs.map(([text, gap], index) => (index === 0 ? text : gap + text)).join(''));
const maybe = (part: Text): Text => fc.oneof({ weight: 2, arbitrary: fc.constant('') }, part);

/** `MARK` stands for the escape, `EOL` for the end of a line, until the file is put together. */
const mark = '\u{f0000}';
const eol = '\u{f0001}';

const comment = joined(
  some('', ' ', '\t'),
  some('#', '# ', '##', '#!', '#\t'),
  some('', 'note', ' a list', '#', 'x=y', mark),
);
const inserted = fc
  .array(fc.oneof(comment, some('', ' ', '\t')), { maxLength: 2 })
  .map((lines) => lines.map((line) => line + eol).join(''));
const lineBreak = joined(
  some(' ', '\t', '  ', ''),
  fc.constant(mark),
  some('', ' ', ' \t'),
  fc.constant(eol),
  inserted,
);
const blank = fc.oneof(
  { weight: 6, arbitrary: some(' ', '  ', '\t') },
  { weight: 1, arbitrary: some('\v', '\f ', '\u00a0', '\u0085 ') },
);
/** Never empty: a break alone would glue two words. */
const gap = fc.oneof({ weight: 5, arbitrary: blank }, { weight: 2, arbitrary: joined(lineBreak, blank) });
const anyCase = (name: string): Text =>
  some(name, name.toLowerCase(), `${name.slice(0, 1)}${name.slice(1).toLowerCase()}`);

const word = fc
  .array(
    some(
      'a',
      'b.txt',
      '/usr/',
      '$X',
      `${'${X:-y z}'}`,
      '"q r"',
      "'s  t'",
      `${mark} `,
      `${mark}${mark}`,
      '\\',
      '`',
      '#',
      '<',
      '=',
      'é',
      '\udcff',
      '[',
      '--',
      `${mark}${eol}`,
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join(''));
const plainWord = some('a', 'b.txt', '/usr/bin', '$X', '#x', '"c d"', 'x=y', '1');
const name = some('A', 'B', 'long_name', '#n', `x${mark} y`);
const value = fc.oneof(
  some(
    '1',
    '',
    '"two words"',
    "'#'",
    `a${mark} b`,
    `"over${mark}${eol}  lines"`,
    `b${mark}${mark}`,
    '\udc80',
    'x'.repeat(70),
  ),
  word,
);
const pair = joined(name, fc.constant('='), value);
const flag = some(
  '--from=a',
  '--mount=type=cache,target=/x',
  '--mount="type=bind, x"',
  `--a=b${mark} c`,
  '--link',
  '--x=#',
  '--y=<<E',
  `--z=a,${mark}${eol}b`,
);
const flags = maybe(
  listOf(joined(gap, flag), fc.constant(''), 3).chain((list) => some('', ' --').map((end) => list + end)),
);
const jsonString = some(
  '"a"',
  '"b c"',
  '"\\u00e9\\n"',
  '"\\/"',
  '"\\"\\\\"',
  '"\\u200b☃"',
  '"\\ud800"',
  '"\udc80"',
  `"x${mark}${eol}y"`,
  '"#"',
);
const separator = joined(maybe(gap), fc.constant(','), maybe(gap));
const json = fc.oneof(
  joined(fc.constant('['), maybe(gap), listOf(jsonString, separator), maybe(gap), fc.constant(']')),
  some('[]', '[ ]', "['a']", '["a" b]', '["a",]', '[\v"a"]', '["a\tb", "c"]'),
);
const text = fc.oneof(
  json,
  listOf(fc.oneof(plainWord, word, some('&&', '|', ';', "'a  b'")), fc.oneof(gap, lineBreak), 6),
);

const heredoc = fc
  .tuple(
    some('<<E', '<<-E', '<<"E"', '3<<E', '<< E', "<<-'E'", '<<E <<E', '<<"E F"'),
    fc.array(some('', 'line', '\ttab', ' # no comment', '\\', '$X', 'cr\r', 'E ', '\tE', '\udcfe'), { maxLength: 3 }),
    some('', '\t', '\t\t'),
  )
  .map(([opening, lines, tabs]) => {
    const body = lines.map((line) => line + eol).join('');
    const end = `${opening.includes('-') ? tabs : ''}${opening.includes('E F') ? 'E F' : 'E'}${eol}`;
    return { opening, body: (body + end).repeat(opening === '<<E <<E' ? 2 : 1) };
  });

function withHeredoc(names: Text, behind: Text): Text {
  return fc
    .tuple(names, flags, gap, maybe(joined(word, gap)), heredoc, behind)
    .map(([keyword, options, blanks, before, { opening, body }, rest]) =>
      [keyword, options, blanks, before, opening, rest, eol, body].join(''),
    );
}

const line = (keyword: Text, ...parts: Text[]): Text =>
  joined(keyword, ...parts, maybe(fc.oneof(blank, lineBreak)), fc.constant(eol));

const instruction: Text = fc.oneof(
  line(anyCase('FROM'), flags, gap, plainWord, maybe(joined(gap, anyCase('AS'), gap, plainWord))),
  line(fc.oneof(anyCase('COPY'), anyCase('ADD')), flags, gap, fc.oneof(json, listOf(fc.oneof(word, plainWord), gap))),
  line(fc.oneof(anyCase('EXPOSE'), anyCase('VOLUME')), gap, fc.oneof(json, listOf(plainWord, gap))),
  line(fc.oneof(anyCase('ENV'), anyCase('LABEL')), gap, listOf(pair, gap)),
  line(anyCase('ENV'), gap, some('K', `K${mark}`), gap, text),
  line(anyCase('ARG'), gap, listOf(fc.oneof(pair, name), gap)),
  line(fc.oneof(anyCase('RUN'), anyCase('CMD'), anyCase('ENTRYPOINT'), anyCase('SHELL')), flags, gap, text),
  line(anyCase('HEALTHCHECK'), flags, gap, fc.oneof(anyCase('NONE'), joined(anyCase('CMD'), gap, text))),
  line(
    fc.oneof(anyCase('WORKDIR'), anyCase('USER'), anyCase('STOPSIGNAL'), anyCase('MAINTAINER'), some('WHAT', 'kä')),
    gap,
    text,
  ),
  line(anyCase('ONBUILD'), gap, fc.oneof(anyCase('RUN'), anyCase('copy')), flags, gap, text),
  withHeredoc(fc.oneof(anyCase('RUN'), some('ONBUILD run')), maybe(joined(blank, text))),
  withHeredoc(fc.oneof(anyCase('COPY'), anyCase('ADD')), joined(gap, plainWord)),
  line(anyCase('RUN')),
  joined(fc.constant(mark), fc.constant(eol), inserted, fc.constant(`FROM a${eol}`)),
);

const between = fc.oneof(comment, some('', '', ' ', '# escape=`', '# check=skip=all')).map((text) => text + eol);
const directives = fc
  .tuple(some('', '# syntax=a', '#  SYNTAX = b ', ' #syntax=c'), fc.constantFrom<Escape | ''>('', '', '\\', '`'))
  .map(([syntax, escape]) => ({
    escape: escape === '' ? ('\\' as const) : escape,
    lines: [syntax, escape === '' ? '' : `#escape = ${escape}`].filter((each) => each !== '').map((each) => each + eol),
  }));

/** Dockerfiles with all that the grammar has, oddly laid out. Now and then one that is refused. */
export const dockerfiles: Text = fc
  .tuple(
    some('', '', '', '\ufeff'),
    directives,
    fc.array(joined(some('', '', ' ', '\t'), fc.oneof({ weight: 4, arbitrary: instruction }, between)), {
      minLength: 1,
      maxLength: 5,
    }),
    some('\n', '\n', '\r\n'),
    fc.boolean(),
  )
  .map(([start, { escape, lines }, body, end, whole]) => {
    const file = [start, ...lines, ...body].join('').replaceAll(mark, escape).replaceAll(eol, end);
    return whole ? file : file.replace(/\r?\n$/, '');
  });
