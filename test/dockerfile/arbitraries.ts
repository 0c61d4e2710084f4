import fc from 'fast-check';

/** What Dockerfiles are made of, and what hurts in them. */
export const fragments = fc.constantFrom(
  'FROM ',
  'from',
  'RUN ',
  'COPY ',
  'ADD ',
  'ENV ',
  'ARG ',
  'CMD ',
  'ONBUILD ',
  'HEALTHCHECK ',
  'EXPOSE ',
  'LABEL ',
  'SHELL ',
  'WORKDIR ',
  'AS x',
  '--from=x ',
  '--mount=type=cache,target=/x ',
  '--chmod=',
  '--',
  '# escape=`\n',
  '# syntax=a\n',
  '# ',
  '\\\n',
  '`\n',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '<<E',
  '<<-"E"',
  'E\n',
  '["a", "b"]',
  '[',
  ']',
  '"',
  "'",
  '\\',
  '$',
  '${',
  '}',
  ':-',
  '/',
  '#',
  '%',
  '*',
  '?',
  'a',
  'scratch',
  '=',
  '1',
  '\ufeff',
  'é',
  '\udc80',
  '\0',
);

/** Fragments in any order: nearly never a Dockerfile. */
export const texts = fc.array(fragments, { maxLength: 60 }).map((parts) => parts.join(''));

const parts = (pool: readonly string[], maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...pool), { minLength: 1, maxLength }).map((chosen) => chosen.join(''));

/** Words full of what expansion heeds. */
export const words = parts(
  [
    '$',
    '{',
    '}',
    ':',
    '-',
    '+',
    '?',
    '#',
    '%',
    '/',
    "'",
    '"',
    '\\',
    '`',
    'a',
    'b',
    '*',
    ' ',
    '<',
    '<<',
    '1',
    'ä',
    '$a',
    '${a',
    '${b:-',
    '${a:+',
    '${a#',
    '${a##*',
    '${a%',
    '${a/',
    '${a//',
    '\\}',
    '\\/',
    '"$a"',
    '\n',
    '\u00a0',
  ],
  14,
);

/** Shell text, seldom a script: what nests, quotes and joins, and commands that checks look for. */
export const scripts = parts(
  [
    'apt-get update',
    'apt-get install -y x',
    'apk add y',
    'pip install z',
    'cd /x',
    'rm -rf /var/lib/apt/lists/*',
    'chown -R a:b /d',
    'curl -o f.tar http://x/f.tar',
    ' && ',
    ' || ',
    '; ',
    ' | ',
    ' & ',
    '\n',
    '\\\n',
    ' ',
    '(',
    ')',
    '((',
    '))',
    '$(',
    '${',
    '}',
    '{ ',
    '; }',
    '`',
    '"',
    "'",
    '\\',
    '$x',
    '$',
    '# c',
    'if a; then ',
    'else ',
    'fi',
    'for i in a b; do ',
    'while ',
    'do ',
    'done',
    'case x in ',
    'a) ',
    ';;',
    'esac',
    'f() ',
    'function g ',
    '[[ a ]]',
    'x=(1 2)',
    'a=b ',
    'sudo ',
    'env -i ',
    '>f',
    '2>&1',
    '<(',
    '<<E\n',
    '<<-E\n',
    'E\n',
    'a',
    '!',
    '1',
    'é',
  ],
  24,
);

/** One pattern of an ignore file. */
export const patterns = parts(
  [
    'a',
    'b',
    'ab',
    '*',
    '**',
    '?',
    '/',
    '/',
    '.',
    '..',
    '[ab]',
    '[^a-c]',
    '[',
    ']',
    '\\',
    '!',
    'ä',
    '#',
    ' ',
    '^',
    '|',
    '{',
  ],
  8,
);

export const paths = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'ba', '.a', 'ä', 'a b', '*', '\\', '^', '[a]'), { minLength: 1, maxLength: 5 })
  .map((names) => names.join('/'));

const value = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'x y',
    '/x',
    '$A',
    '${A:-b}',
    "'a'",
    '"$A b"',
    '',
    '.',
    '..',
    'ä',
    'a=b',
    '80',
    'x',
    'scratch',
  ),
  words,
);

const flags: Readonly<Record<string, readonly string[]>> = {
  FROM: ['--platform=linux/arm64', '--platform=$BUILDPLATFORM', '--platform=', '--platform=x/y/z'],
  RUN: [
    '--mount=type=cache,target=/c',
    '--mount=type=bind,from=x,target=/m',
    '--mount=type=secret,id=a,env=A',
    '--mount=type=tmpfs,target=$A,size=1k',
    '--mount=type=ssh',
    '--mount=from=y,target=/z,"a',
    '--network=none',
    '--security=insecure',
    '--device=a/b=c,required',
    '--mount=',
    '--nope',
  ],
  COPY: [
    '--from=x',
    '--from=0',
    '--from=9',
    '--from=$A',
    '--chown=$A',
    '--chmod=u+x',
    '--link',
    '--parents',
    '--exclude=*',
  ],
  ADD: ['--checksum=sha256:0', '--keep-git-dir', '--unpack=false', '--chmod=0700', '--link=x', '--exclude=$A'],
  HEALTHCHECK: ['--interval=1s', '--timeout=x', '--retries=3', '--start-period=1h1m', '--start-interval=10us'],
};

const keywords =
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR';
const heads: readonly string[] = [
  ...keywords.split(' '),
  'HEALTHCHECK CMD',
  'ONBUILD RUN',
  'ONBUILD COPY',
  'run',
  'NOPE',
];

/** An instruction that may well be right. */
export const instructions: fc.Arbitrary<string> = fc.constantFrom(...heads).chain((head) =>
  fc
    .record({
      flag: fc.array(fc.constantFrom(...(flags[head.split(' ').at(-1)?.toUpperCase() ?? ''] ?? [''])), {
        maxLength: 2,
      }),
      args: fc.array(value, { minLength: 1, maxLength: 4 }),
      form: fc.constantFrom('words', 'words', 'pairs', 'json', 'heredoc', 'git'),
      gap: fc.constantFrom(' ', ' ', '  ', ' \\\n  ', ' \\\n# x\n', '\t'),
    })
    .map(({ flag, args, form, gap }) =>
      [head, ...flag, inForm(form, args, gap)].filter((part) => part !== '').join(gap),
    ),
);

function inForm(form: string, args: readonly string[], gap: string): string {
  switch (form) {
    case 'pairs':
      return args.map((arg, index) => `A${index}=${arg}`).join(gap);
    case 'json':
      return JSON.stringify(args);
    case 'heredoc':
      return `<<E /x\n${args.join('\n')}\nE`;
    case 'git':
      return `https://h/r.git?ref=${args[0]}#${args.at(-1)} /x`;
    default:
      return args.join(gap);
  }
}

const froms = fc.constantFrom(
  'FROM a',
  'FROM a AS x',
  'FROM x AS y',
  'FROM scratch',
  'FROM $A',
  'FROM a:${V:-1}',
  'from b as X',
  'FROM y',
  'FROM',
);

/** A file of stages. */
export const dockerfiles = fc
  .record({
    top: fc.array(
      fc.constantFrom('# escape=`', '# syntax=x', '# check=skip=all', 'ARG A=a', 'ARG V=1 A=$V', '', '# x'),
      {
        maxLength: 3,
      },
    ),
    stages: fc.array(fc.tuple(froms, fc.array(instructions, { maxLength: 6 })), { minLength: 1, maxLength: 4 }),
    newline: fc.constantFrom('\n', '\n', '\r\n'),
  })
  .map(({ top, stages, newline }) => [...top, ...stages.flatMap(([from, lines]) => [from, ...lines])].join(newline));

export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

const edits = fc.record({
  at: fc.nat(),
  removed: fc.oneof(fc.nat(3), fc.nat(80)),
  inserted: fc.oneof(fragments, words),
});

/** Files after some slips of a hand. */
export function mutated(files: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...files), fc.array(edits, { minLength: 1, maxLength: 6 }))
    .map(([file, changes]) => changes.reduce(applyEdit, file));
}

function applyEdit(text: string, { at, removed, inserted }: Edit): string {
  const place = text.length === 0 ? 0 : at % text.length;
  return text.slice(0, place) + inserted + text.slice(place + removed);
}
