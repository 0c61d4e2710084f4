import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readScript } from '../../../src/dockerfile/checks/shell/read-script.ts';
import { appendCommand, insertWord, replaceWord } from '../../../src/dockerfile/checks/shell/script-edits.ts';
import { scriptsOf } from '../../../src/dockerfile/checks/stages/stage-scripts.ts';
import { subjectOf } from './subject-of.ts';
import '../../property-seed.ts';

/** A script's commands, one a line: depth as dots, joint, prefix in parentheses, words parted by `_`, redirects. */
function shown(text: string): string[] {
  return readScript(text).commands.map(({ depth, joint, prefix, words, redirects }) => {
    const parts = [
      joint,
      ...(prefix.length === 0 ? [] : [`(${prefix.map((word) => word.text).join(' ')})`]),
      words.map((word) => word.text).join('_'),
      ...redirects.map(({ operator, target }) => `${operator}${target.text}`),
    ];
    return '.'.repeat(depth) + parts.filter((part) => part !== '').join(' ');
  });
}

const commands: readonly (readonly [rule: string, text: string, expected: readonly string[]])[] = [
  ['a word', 'make', ['make']],
  ['operators', 'a && b || c; d | e & f', ['a', '&& b', '|| c', '; d', '| e', '& f']],
  ['operators without blanks', 'a&&b||c;d|e', ['a', '&& b', '|| c', '; d', '| e']],
  ['lines', 'a\nb\n\nc', ['a', '; b', '; c']],
  ['a line broken behind an operator', 'a &&\n  b', ['a', '&& b']],
  ['a continued line', 'a \\\n b', ['a_b']],
  ['quotes', `a 'b "c' "d 'e" f"g"h`, ['a_b "c_d \'e_fgh']],
  ['operators in quotes', `a '&& b' "; c"`, ['a_&& b_; c']],
  ['escapes', 'a b\\ c \\; \\"d', ['a_b c_;_"d']],
  ['escapes in quotes', '"a\\"b\\c"', ['a"b\\c']],
  ['an empty word', "a ''", ['a_']],
  ['a comment', 'a # b && c', ['a']],
  ['no comment within a word', 'a#b c#d', ['a#b_c#d']],
  ['variables', 'a $b ${c:-"d }"} "$e"', ['a_$b_${c:-"d }"}_$e']],
  ['a dollar sign alone', 'a $ b$', ['a_$_b$']],
  ['arithmetic', 'a $((1 + (2))) b', ['a_$((1 + (2)))_b']],
  ['a substitution', 'a $(b && c) d', ['a_$(b && c)_d', '.b', '.&& c']],
  ['a substitution in quotes', 'a "$(b ")")"', ['a_$(b ")")', '.b_)']],
  ['substitutions in each other', 'a $(b $(c))', ['a_$(b $(c))', '.b_$(c)', '..c']],
  ['a substitution in a variable', 'a ${b:-$(c "}")} d', ['a_${b:-$(c "}")}_d', '.c_}']],
  ['backquotes', 'a `b; c` d', ['a_`b; c`_d']],
  ['redirections', 'a >b 2>&1 <c >>d', ['a >b >&1 <c >>d']],
  ['bash’s redirections', 'a &>b &>>c <<<d', ['a &>b &>>c <<<d']],
  ['a redirection before the command', '>b a', ['a >b']],
  ['process substitution', 'a <(b c)', ['a', '.b_c']],
  ['a subshell', '(cd x && y) && z', ['.cd_x', '.&& y', '&& z']],
  ['a group', '{ a; b; } > c', ['.a', '.; b']],
  ['a condition', 'if a; then b; elif c; then d; else e; fi', ['.a', '.b', '.c', '.d', '.e']],
  ['a condition over lines', 'if a\nthen\n  b\nfi\nc', ['.a', '.b', '; c']],
  ['a condition with a group', 'if (a) then b; fi', ['..a', '.b']],
  ['a negation', 'a && ! b', ['a', '&& b']],
  ['a loop', 'for x in a b $(c); do d $x; done', ['.c', '.d_$x']],
  ['a loop over lines', 'while read x; do a; done < b && c', ['.read_x', '.a', '&& c']],
  ['a choice', 'case "$x" in a|b) c;; (d) e ;; *) f; esac; g', ['.c', '.e', '.f', '; g']],
  ['a choice over lines', 'case $x in\n  a)\n    b\n    ;;\nesac\nc', ['.b', '; c']],
  ['a function', 'f() { a; }; f', ['.a', '; f']],
  ['a function with its keyword', 'function f { a; }', ['.a']],
  ['a test', '[[ a && b < c ]] && d', ['[[', '&& d']],
  ['an array', 'a=(b c) && d', ['', '&& d']],
  ['a keyword as an argument', 'echo if then done', ['echo_if_then_done']],
  ['keywords’ beginnings', 'iffy; done2', ['iffy', '; done2']],
  ['a here-document', 'cat <<E >f\na && b\nE\nc', ['cat <<E >f', '; c']],
  ['a here-document with tabs', 'cat <<-E\n\ta\n\tE\nc', ['cat <<-E', '; c']],
  ['two here-documents', 'cat <<A <<B\na\nA\nb\nB\nc', ['cat <<A <<B', '; c']],
  ['assignments', 'A=1 B="2 3" make all', ['make_all']],
  ['an assignment alone', 'A=1', ['']],
  ['no assignment behind the program', 'make A=1', ['make_A=1']],
  ['sudo', 'sudo -E -u x make', ['(sudo -E -u x) make']],
  ['env', 'env -i A=1 make', ['(env -i) make']],
  ['starters in each other', 'sudo env A=1 nice -n 5 timeout 30 make', ['(sudo env nice -n 5 timeout 30) make']],
  ['sudo with an option that is not known', 'sudo --chroot=x make', ['sudo_--chroot=x_make']],
  ['a question, not a start', 'command -v make', ['command_-v_make']],
  ['sudo alone', 'sudo -k', ['sudo_-k']],
];

const unclear: readonly (readonly [rule: string, text: string])[] = [
  ['an open quote', "a && 'b"],
  ['an open double quote', 'a "b'],
  ['an open substitution', 'a $(b'],
  ['an open variable', 'a ${b'],
  ['open backquotes', 'a `b'],
  ['an open group', '{ a;'],
  ['an open subshell', '(a'],
  ['a condition without its end', 'if a; then b'],
  ['an end without its beginning', 'a; done'],
  ['a parenthesis too many', 'a )'],
  ['a word behind a group', '(a) b'],
  ['a redirection to nothing', 'a >'],
  ['groups without end', '('.repeat(200_000)],
  ['substitutions without end', 'a $('.repeat(200_000)],
  ['variables without end', 'a ${b:-'.repeat(200_000)],
  ['arithmetic without end', 'a $(('.repeat(200_000)],
  ['PowerShell', "if ($a -eq 'b') { c }"],
];

const pieces = fc.constantFrom(
  ...'a b=c if then else fi for in do done case esac while { } ( ) (( )) $( $(( ${ ` " \' \\ # ; ;; & && | || < > << <<- <<E E 2>&1 [[ ]] ! $x = f()'.split(
    ' ',
  ),
  ' ',
  '\n',
);

describe('a shell script', () => {
  it('gives commands that stand in it, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        const { commands, end } = readScript(text);
        expect(end).toBeLessThanOrEqual(text.length);
        for (const { start, end: last, words } of commands) {
          expect(start).toBeLessThan(last);
          expect(last).toBeLessThanOrEqual(text.length);
          for (const word of words) {
            if (word.quoted || word.expands) continue;
            expect(text.slice(word.start, word.end)).toBe(word.text);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each(commands)('with %s', (_, text, expected) => {
    expect(shown(text)).toEqual(expected);
    expect(readScript(text).certain).toBe(true);
  });

  it.each(unclear)('with %s is not understood', (_, text) => {
    expect(readScript(text).certain).toBe(false);
  });

  it('has words that say where they stand and what becomes of them', () => {
    const [command] = readScript('a "$b" \'c\' d').commands;
    expect(command?.words).toEqual([
      { text: 'a', expands: false, quoted: false, start: 0, end: 1 },
      { text: '$b', expands: true, quoted: true, start: 2, end: 6 },
      { text: 'c', expands: false, quoted: true, start: 7, end: 10 },
      { text: 'd', expands: false, quoted: false, start: 11, end: 12 },
    ]);
  });

  it.each([
    ['/usr/bin/apt-get update', 'apt-get'],
    ['"apt-get" update', 'apt-get'],
    ['$APT update', ''],
    ['A=1', ''],
  ])('%s runs %p', (text, name) => {
    expect(readScript(text).commands[0]?.name).toBe(name);
  });
});

/** RUNs in which the program `x` stands, and how it stands in the file. */
const places: readonly (readonly [rule: string, file: string, found: string | undefined])[] = [
  ['on its line', 'FROM a\nRUN b && x y', 'x y'],
  ['behind flags', 'FROM a\nRUN --mount=type=cache,target=/c x y', 'x y'],
  ['on a continued line', 'FROM a\nRUN b && \\\n # c\n\n  x y', 'x y'],
  ['over a line’s end', 'FROM a\nRUN x \\\n  y', 'x \\\n  y'],
  ['with carriage returns', 'FROM a\r\nRUN b && \\\r\n  x y\r\n', 'x y'],
  ['in a heredoc', 'FROM a\nRUN <<E\nb\nx y\nE\nCMD c', 'x y'],
  ['in a heredoc with tabs', 'FROM a\nRUN <<-E\n\tb\n\tx y\n\tE', 'x y'],
  ['in a heredoc behind a continued line', 'FROM a\nRUN --network=none \\\n <<E\nx y\nE', 'x y'],
  ['in JSON', 'FROM a\nRUN ["x", "y"]', '"x", "y"'],
  ['in a script in JSON', 'FROM a\nRUN ["/bin/bash", "-ec", "b; x y"]', 'x y'],
  ['in a script in JSON with escapes', 'FROM a\nRUN ["sh", "-c", "b \\"c\\"; x y"]', undefined],
];

describe('a command of RUN stands', () => {
  it.each(places)('%s', (_, file, found) => {
    const [run] = runsOf(file);
    const command = run?.commands.find(({ name }) => name === 'x');
    expect(command).toBeDefined();
    const span = command && run?.place(command);
    expect(span && file.slice(span.start, span.end)).toBe(found);
  });
});

describe('RUN is no script of a POSIX shell', () => {
  it.each([
    ['with SHELL powershell', 'FROM a\nSHELL ["powershell", "-Command"]\nRUN x'],
    ['with SHELL cmd', 'FROM a\nSHELL ["cmd", "/S", "/C"]\nRUN x'],
    ['with SHELL python', 'FROM a\nSHELL ["python", "-c"]\nRUN x'],
    ['where the stage below has such a SHELL', 'FROM a AS b\nSHELL ["pwsh", "-c"]\nFROM b\nRUN x'],
    ['on a base of Windows', 'FROM mcr.microsoft.com/windows/servercore:ltsc2022\nRUN x'],
    ['with a backtick as escape', '# escape=`\nFROM a\nRUN x'],
    ['with another interpreter', 'FROM a\nRUN <<E\n#!/usr/bin/env python3\nx\nE'],
  ])('%s', (_, file) => {
    expect(runsOf(file)).toEqual([]);
  });

  it('but it is with SHELL bash', () => {
    expect(runsOf('FROM a\nSHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN x')).toHaveLength(1);
  });
});

const appended: readonly (readonly [rule: string, file: string, expected: string | undefined])[] = [
  ['behind one command', 'RUN a', 'RUN a && z'],
  ['behind the last one', 'RUN a && b', 'RUN a && b && z'],
  ['behind a pipe', 'RUN a | b', 'RUN a | b && z'],
  ['before a comment', 'RUN a # b', 'RUN a && z # b'],
  ['on a line of its own where the others are', 'RUN a \\\n    && b', 'RUN a \\\n    && b \\\n    && z'],
  ['with the joint at the line’s end where it is', 'RUN a && \\\n    b', 'RUN a && \\\n    b && \\\n    z'],
  ['behind a redirection', 'RUN a > b', 'RUN a > b && z'],
  ['in a heredoc', 'RUN <<E\na\nb\nE', 'RUN <<E\na\nb && z\nE'],
  ['in JSON', 'RUN ["sh", "-c", "a"]', 'RUN ["sh", "-c", "a && z"]'],
  ['not to an alternative', 'RUN a || b', undefined],
  ['not to the background', 'RUN a & b', undefined],
  ['not behind an operator', 'RUN a;', undefined],
  ['not to a condition', 'RUN if a; then b; fi', undefined],
  ['not to a command in JSON', 'RUN ["a"]', undefined],
  ['not behind an exit', 'RUN a; exit 0', undefined],
  ['not behind a here-document in a heredoc', 'RUN <<E\ncat <<F\na\nF\nE', undefined],
];

describe('a command is appended', () => {
  it.each(appended)('%s', (_, run, expected) => {
    const file = `FROM a\n${run}`;
    const [script] = runsOf(file);
    const edit = script && appendCommand(script, 'z', file);
    expect(edit && file.slice(0, edit.start) + edit.text + file.slice(edit.end)).toBe(
      expected === undefined ? undefined : `FROM a\n${expected}`,
    );
  });
});

it.each([
  ['FROM a\nRUN apt x', 'FROM a\nRUN apt-get -y x'],
  ['FROM a\nRUN ["apt", "x"]', 'FROM a\nRUN ["apt-get", "-y", "x"]'],
])('words are written into %j', (file, expected) => {
  const [run] = runsOf(file);
  const word = run?.commands[0]?.words[0];
  const edits = run && word ? [replaceWord(run, word, 'apt-get'), insertWord(run, word, '-y')] : [];
  const text = edits.reduceRight((all, edit) => {
    if (edit === undefined) throw new Error('no edit');
    return all.slice(0, edit.start) + edit.text + all.slice(edit.end);
  }, file);
  expect(text).toBe(expected);
});

function runsOf(file: string) {
  const subject = subjectOf(file);
  return subject.stages.flatMap((stage) => scriptsOf(subject, stage));
}
