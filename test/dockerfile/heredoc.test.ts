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
];

describe('heredocs', () => {
  it.each(found)('%s', (_, text, expected) => {
    expect(heredocs(text)).toEqual(expected);
  });

  it.each(absent)('none %s', (_, text) => {
    expect(heredocs(text)).toEqual([]);
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

  it('none can be the destination', () => {
    expect(() => lastStep('copy', 'FROM a\nCOPY a <<E\n1\nE')).toThrow('COPY cannot accept a heredoc as a destination');
  });

  it('bytes that are no UTF-8 are kept where nothing is expanded', () => {
    const bytes = Buffer.from('FROM a\nCOPY <<"E" /x\n\xff\nE', 'latin1');
    const source = lastStep('copy', bytes).sources[0];
    expect(source).toEqual({ kind: 'inline', name: 'E', content: '\udcff\n' });
  });
});
