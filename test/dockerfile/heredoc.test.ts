import { describe, expect, it } from '@jest/globals';
import { contentOf, parse } from '../../src/dockerfile/index.ts';
import { lastStep } from './build-inputs.ts';

/** The heredocs of the first instruction as `name=content`; `!` marks those that are not expanded. */
function heredocs(text: string): string[] {
  const [instruction] = parse(text).instructions;
  return (instruction?.heredocs ?? []).map(
    (heredoc) => `${heredoc.expand ? '' : '!'}${heredoc.fileDescriptor || ''}${heredoc.name}=${contentOf(heredoc)}`,
  );
}

const found: readonly (readonly [rule: string, text: string, heredocs: readonly string[]])[] = [
  ['one', 'RUN <<E\na\nE', ['E=a\n']],
  ['without content', 'RUN <<E\nE', ['E=']],
  ['with its own line ends', 'RUN <<E\r\na\r\nE\r\n', ['E=a\r\n']],
  ['with blank lines', 'RUN <<E\n\n a\n\nE', ['E=\n a\n\n']],
  ['with hashes', 'RUN <<E\n# a\nE', ['E=# a\n']],
  ['with line continuations kept', 'RUN <<E\na \\\nb\nE', ['E=a \\\nb\n']],
  ['with instructions in it', 'RUN <<E\nFROM x\nE', ['E=FROM x\n']],
  ['two', 'RUN <<A <<B\n1\nA\n2\nB', ['A=1\n', 'B=2\n']],
  ['two of one name', 'RUN <<A <<A\n1\nA\n2\nA', ['A=1\n', 'A=2\n']],
  ['in a command', 'RUN cat <<E > /x\na\nE', ['E=a\n']],
  ['at the end of a word', 'RUN cat 3<<E\na\nE', ['3E=a\n']],
  ['with two digits', 'RUN cat 12<<E\na\nE', ['12E=a\n']],
  ['behind a continued line', 'RUN cat \\\n <<E\na\nE', ['E=a\n']],
  ['with a blank before its word', 'RUN << E\na\nE', ['E=a\n']],
  ['with tabs dropped', 'RUN <<-E\n\ta\n\t\tb\n\tE', ['E=a\nb\n']],
  ['with blanks not dropped', 'RUN <<-E\n  a\nE', ['E=  a\n']],
  ['with a tab before its end not dropped', 'RUN <<E\n\tE\nE', ['E=\tE\n']],
  ['with a blank behind its end', 'RUN <<E\nE \nE', ['E=E \n']],
  ['quoted with double quotes', 'RUN <<"E"\na\nE', ['!E=a\n']],
  ['quoted with single quotes', "RUN <<'E'\na\nE", ['!E=a\n']],
  ['quoted in part', 'RUN <<E"O"F\na\nEOF', ['!EOF=a\n']],
  ['quoted with its tabs dropped', 'RUN <<-"E"\n\ta\n\tE', ['!E=a\n']],
  ['with a dot', 'RUN <<a.txt\nx\na.txt', ['a.txt=x\n']],
  ['with any letters', 'RUN <<Ö\nx\nÖ', ['Ö=x\n']],
  ['with a variable in its word', 'RUN <<$E\nx\n$E', ['$E=x\n']],
  ['for COPY', 'COPY <<A <<B /x/\n1\nA\n2\nB', ['A=1\n', 'B=2\n']],
  ['for ADD', 'ADD <<A /x\n1\nA', ['A=1\n']],
  ['for COPY between paths', 'COPY a <<B c /x/\n1\nB', ['B=1\n']],
  ['for ONBUILD RUN', 'ONBUILD RUN <<E\na\nE', ['E=a\n']],
  ['for ONBUILD COPY', 'ONBUILD COPY <<E /x\na\nE', ['E=a\n']],
  ['in lower case', 'run <<E\na\nE', ['E=a\n']],
  ['behind a flag', 'RUN --network=none <<E\na\nE', ['E=a\n']],
  ['behind an assignment', 'RUN A=1 <<E cat\na\nE', ['E=a\n']],
  ['behind a pipe', 'RUN a | cat <<E\nb\nE', ['E=b\n']],
  ['before a command', 'RUN <<E cat\na\nE', ['E=a\n']],
  ['three', 'RUN <<A <<B <<C\n1\nA\n2\nB\n3\nC', ['A=1\n', 'B=2\n', 'C=3\n']],
  ['whose content names another', 'RUN <<A <<B\nB\nA\n2\nB', ['A=B\n', 'B=2\n']],
  ['whose content announces another', 'RUN <<A\ncat <<B\nB\nA', ['A=cat <<B\nB\n']],
  ['with a digit as its word', 'RUN <<1\nx\n1', ['1=x\n']],
  ['with dashes in its word', 'RUN <<a-b\nx\na-b', ['a-b=x\n']],
  ['with marks in its word', 'RUN <<E!;\nx\nE!;', ['E!;=x\n']],
  ['with a blank in its quoted word', "RUN <<'A B'\nx\nA B", ['!A B=x\n']],
  ['with a tab before its word', 'RUN <<\tE\na\nE', ['E=a\n']],
  ['with a variable in braces in its word', 'RUN <<${E}\nx\n${E}', ['${E}=x\n']],
  ['with an escaped letter in its word', 'RUN <<\\E\nx\nE', ['E=x\n']],
  ['with one tab before its end', 'RUN <<-E\na\n\tE', ['E=a\n']],
  ['with many tabs before its end', 'RUN <<-E\na\n\t\t\tE', ['E=a\n']],
  ['with tabs within a line kept', 'RUN <<-E\n\ta\tb\nE', ['E=a\tb\n']],
  ['with a tab behind its end', 'RUN <<E\nE\t\nE', ['E=E\t\n']],
  ['with its end in another case', 'RUN <<E\ne\nE', ['E=e\n']],
  ['with its end within a line', 'RUN <<E\nx E\nE', ['E=x E\n']],
  ['with a directive in it', 'RUN <<E\n# escape=`\nE', ['E=# escape=`\n']],
  ['with lone carriage returns', 'RUN <<E\na\rb\nE', ['E=a\rb\n']],
  ['with a quote in it', 'RUN <<E\nit\'s "x\nE', ['E=it\'s "x\n']],
  ['behind a comment in a continued line', 'RUN cat \\\n# x\n<<E\na\nE', ['E=a\n']],
  ['for ONBUILD ADD', 'ONBUILD ADD <<E /x\na\nE', ['E=a\n']],
  ['for COPY behind flags', 'COPY --chmod=644 --chown=1 <<E /x\na\nE', ['E=a\n']],
];

const absent: readonly (readonly [rule: string, text: string])[] = [
  ['in double quotes', 'RUN echo "a<<b"'],
  ['in single quotes', "RUN echo '<<b'"],
  ['in arithmetic', 'RUN echo $((1<<2))'],
  ['without a word', 'RUN cat <<'],
  ['with a third angle', 'RUN cat <<<x'],
  ['glued to what is before', 'RUN cat<<E'],
  ['behind an open quote', "RUN echo it's <<E"],
  ['in a JSON array', 'RUN ["cat", "<<E"]'],
  ['in CMD', 'CMD cat <<E'],
  ['in ENV', 'ENV A=<<E'],
  ['in ONBUILD CMD', 'ONBUILD CMD cat <<E'],
  ['in ENTRYPOINT', 'ENTRYPOINT <<E'],
  ['in LABEL', 'LABEL a=<<E'],
  ['in USER', 'USER <<E'],
  ['in VOLUME', 'VOLUME <<E'],
  ['in WORKDIR', 'WORKDIR <<E'],
  ['in HEALTHCHECK', 'HEALTHCHECK CMD cat <<E'],
  ['in ONBUILD ENV', 'ONBUILD ENV A=<<E'],
  ['in a JSON array of COPY', 'COPY ["<<E", "/x"]'],
  ['with one angle', 'RUN cat <E'],
  ['with an angle behind its word', 'RUN cat <<E<F'],
  ['with a blank behind its dash', 'RUN cat <<- E'],
  ['with a dash alone', 'RUN cat <<-'],
  ['with empty quotes', "RUN cat <<''"],
  ['behind an escaped angle', 'RUN cat \\<<E'],
  ['behind an open double quote', 'RUN echo "a <<E'],
  ['behind a variable', 'RUN cat $A<<E'],
  ['in a flag', 'RUN --mount=<<E x'],
  ['in a comment', '# <<E\nRUN x'],
];

describe('heredocs', () => {
  it.each(found)('%s', (_, text, expected) => {
    expect(heredocs(text)).toEqual(expected);
  });

  it.each(absent)('none %s', (_, text) => {
    expect(heredocs(text)).toEqual([]);
  });

  it.each([
    'RUN <<E',
    'RUN <<E\nx',
    'RUN <<E\nE2',
    'RUN <<E\n E',
    'RUN <<E\n\tE',
    'RUN <<-E\n E',
    'RUN <<E;\nE',
    'RUN <<"E"\n"E"',
    'RUN <<A <<B\nB\nA',
    'COPY <<E /x\nE /x',
    'ONBUILD RUN <<E\nx',
  ])('one without its end is refused: %j', (text) => {
    expect(() => parse(`FROM a\n${text}`)).toThrow('dockerfile parse error on line 2: unterminated heredoc');
  });

  it('the instruction after one is found', () => {
    expect(parse('RUN <<E\na\nE\nCMD b').instructions.map(({ range }) => range)).toEqual([
      { start: 1, end: 3 },
      { start: 4, end: 4 },
    ]);
  });
});

const scripts: readonly (readonly [rule: string, text: string, args: readonly string[], title: string])[] = [
  ['one is the script', 'RUN <<E\nset -e\nmake\nE', ['/bin/sh', '-c', 'set -e\nmake\n'], '[2/2] RUN <<E (set -e...)'],
  ['one line is shown whole', 'RUN <<E\nmake\nE', ['/bin/sh', '-c', 'make\n'], '[2/2] RUN <<E (make)'],
  ['tabs are dropped for it', 'RUN <<-E\n\tmake\n\tE', ['/bin/sh', '-c', 'make\n'], '[2/2] RUN <<-E (make)'],
  [
    'in a command the shell reads it',
    'RUN cat <<E >x\na\nE',
    ['/bin/sh', '-c', 'cat <<E >x\na\nE'],
    '[2/2] RUN cat <<E >x',
  ],
  [
    'several are all given to the shell',
    'RUN <<A cat; <<B cat\n1\nA\n2\nB',
    ['/bin/sh', '-c', '<<A cat; <<B cat\n1\nA\n2\nB'],
    '[2/2] RUN <<A cat; <<B cat',
  ],
  [
    'several alone are all given to the shell',
    'RUN <<A <<B\n1\nA\n2\nB',
    ['/bin/sh', '-c', '<<A <<B\n1\nA\n2\nB'],
    '[2/2] RUN <<A <<B',
  ],
  ['one of another descriptor is the script too', 'RUN 3<<E\nx\nE', ['/bin/sh', '-c', 'x\n'], '[2/2] RUN 3<<E (x)'],
  [
    'a quoted one is the script too',
    'RUN <<"E"\necho $A\nE',
    ['/bin/sh', '-c', 'echo $A\n'],
    '[2/2] RUN <<"E" (echo $A)',
  ],
  ['an empty one is an empty script', 'RUN <<E\nE', ['/bin/sh', '-c', ''], '[2/2] RUN <<E ()'],
  ['blank lines are not shown', 'RUN <<E\n\nmake\n\nE', ['/bin/sh', '-c', '\nmake\n\n'], '[2/2] RUN <<E (make)'],
  ['before a command the shell reads it', 'RUN <<E cat\nx\nE', ['/bin/sh', '-c', '<<E cat\nx\nE'], '[2/2] RUN <<E cat'],
  [
    'with tabs, which the shell drops',
    'RUN cat <<-E\n\ta\n\tE',
    ['/bin/sh', '-c', 'cat <<-E\n\ta\nE'],
    '[2/2] RUN cat <<-E',
  ],
  [
    'variables in it are left to the shell',
    'ENV A=1\nRUN <<E\necho $A\nE',
    ['/bin/sh', '-c', 'echo $A\n'],
    '[2/2] RUN <<E (echo $A)',
  ],
];

describe('RUN with heredocs', () => {
  it.each(scripts)('%s', (_, text, args, title) => {
    const step = lastStep('run', `FROM a\n${text}`);
    expect({ args: step.args, title: step.title, pipes: step.pipes }).toEqual({ args, title, pipes: [] });
  });

  it('a first line with #! makes it a program', () => {
    const { args, pipes } = lastStep('run', 'FROM a\nRUN <<prog\n#!/usr/bin/python\nprint(1)\nprog');
    expect({ args, pipes }).toEqual({
      args: ['/bin/sh', '-c', '/dev/pipes/prog'],
      pipes: [{ name: 'prog', content: '#!/usr/bin/python\nprint(1)\n' }],
    });
  });

  it('a first line with #! counts only at the very beginning', () => {
    expect(lastStep('run', 'FROM a\nRUN <<E\n\n#!/bin/x\nE').pipes).toEqual([]);
  });

  it('SHELL runs it', () => {
    const { args } = lastStep('run', 'FROM a\nSHELL ["bash", "-c"]\nRUN <<E\nx\nE');
    expect(args).toEqual(['bash', '-c', 'x\n']);
  });

  it('a program cannot be put outside its folder', () => {
    expect(() => lastStep('run', 'FROM a\nRUN <<../../x\n#!/bin/sh\n../../x')).toThrow('cannot be a file');
  });
});

/** What a COPY puts into one file. */
function copied(head: string, body: string, env = 'ENV A=1'): string | undefined {
  const source = lastStep('copy', `FROM a\n${env}\n${head}\n${body}\nE`).sources[0];
  return source?.kind === 'inline' ? source.content : undefined;
}

describe('COPY with heredocs', () => {
  it.each([
    ['variables are expanded', 'COPY <<E /x', 'a $A ${A} ${B:-2}', 'a 1 1 2\n'],
    ['an unset variable is empty', 'COPY <<E /x', 'a$B.', 'a.\n'],
    ['an escaped dollar stays', 'COPY <<E /x', '\\$A', '$A\n'],
    ['quotes stay', 'COPY <<E /x', `"a" 'b' "$A" '$A'`, `"a" 'b' "1" '1'\n`],
    ['a quoted one is left alone', 'COPY <<"E" /x', '\\$A $A', '\\$A $A\n'],
    ['tabs are dropped', 'COPY <<-E /x', '\ta\n\t\tb', 'a\nb\n'],
    ['ADD does the same', 'ADD <<E /x', '$A', '1\n'],
    ['one quoted in part is left alone', 'COPY <<E"" /x', '$A', '$A\n'],
    ['single quotes leave it alone too', "COPY <<'E' /x", '$A', '$A\n'],
    ['the backslash escapes', 'COPY <<E /x', '\\a \\\\ \\"', 'a \\ "\n'],
    ['patterns work', 'COPY <<E /x', '${A/1/2} ${A%1}.', '2 .\n'],
    ['a default may have lines', 'COPY <<E /x', '${B:-x\ny}', 'x\ny\n'],
    ['an open quote means nothing', 'COPY <<E /x', `it's $A`, `it's 1\n`],
    ['hashes stay', 'COPY <<E /x', '# $A', '# 1\n'],
    ['heredoc marks stay', 'COPY <<E /x', 'cat << X', 'cat << X\n'],
    ['blanks at the ends stay', 'COPY <<E /x', ' a ', ' a \n'],
  ])('%s', (_, head, body, content) => {
    expect(copied(head, body)).toBe(content);
  });

  it('each becomes a file behind the paths', () => {
    const { sources } = lastStep('copy', 'FROM a\nCOPY <<b.txt c <<d.txt /x/\n1\nb.txt\n2\nd.txt');
    expect(sources).toEqual([
      { kind: 'path', from: { kind: 'context' }, path: '/c' },
      { kind: 'inline', name: 'b.txt', content: '1\n' },
      { kind: 'inline', name: 'd.txt', content: '2\n' },
    ]);
  });

  it.each(['../x', 'a/b', '..', 'x/../../y'])('%s cannot be one', (name) => {
    expect(() => lastStep('copy', `FROM a\nCOPY <<${name} /x\n1\n${name}`)).toThrow('cannot be a file');
  });

  it('the backslash escapes in it whatever escapes outside', () => {
    const text = '# escape=`\nFROM a\nENV A=1\nCOPY <<E /x\n`$A \\$A\nE';
    expect(lastStep('copy', text).sources).toEqual([{ kind: 'inline', name: 'E', content: '`1 $A\n' }]);
  });

  it('a variable that cannot be expanded is refused', () => {
    expect(() => copied('COPY <<E /x', '${A:1}')).toThrow('unsupported modifier (:1) in substitution');
  });

  it('none can be the destination', () => {
    expect(() => lastStep('copy', 'FROM a\nCOPY a <<E\n1\nE')).toThrow('COPY cannot accept a heredoc as a destination');
  });

  it('bytes that are no UTF-8 are kept where nothing is expanded', () => {
    const bytes = Buffer.from('FROM a\nCOPY <<"E" /x\n\xff\nE', 'latin1');
    const source = lastStep('copy', bytes).sources[0];
    expect(source).toEqual({ kind: 'inline', name: 'E', content: '\udcff\n' });
  });
});
