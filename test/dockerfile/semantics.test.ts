import { describe, expect, it } from '@jest/globals';
import { createIgnoreMatcher, parseIgnore } from '../../src/dockerfile/index.ts';
import { graphOf, lastStep, ownHistory, path } from './build-inputs.ts';

// The rules of docs/semantics.md that are of the language, by their numbers.

const shelly = { bases: { a: { config: { Shell: ['ash', '-c'] } } } };
const configOf = (text: string, options: Parameters<typeof graphOf>[1] = {}) =>
  graphOf(`FROM a\n${text}`, options).image.config;
const runOf = (text: string) => lastStep('run', `FROM a\n${text}`);
const historyOf = (text: string, options: Parameters<typeof graphOf>[1] = {}) => ownHistory(`FROM a\n${text}`, options);

type Rule = readonly [rule: string, see: () => unknown, expected: unknown];

const paths: readonly Rule[] = [
  ['17: WORKDIR keeps a slash at the end in the config', () => configOf('WORKDIR /tmp/').WorkingDir, '/tmp/'],
  ['17: it cleans a relative one', () => configOf('WORKDIR /a\nWORKDIR b/../c').WorkingDir, '/a/c'],
  ['17: it counts from the last one', () => configOf('WORKDIR /a\nWORKDIR b').WorkingDir, '/a/b'],
  ['17: a variable that is not set is nothing', () => configOf('WORKDIR /a$NONE/b').WorkingDir, '/a/b'],
  ['16: WORKDIR / makes no step', () => graphOf('FROM a\nWORKDIR /').steps.map(({ kind }) => kind), ['image']],
];

const variables: readonly Rule[] = [
  ['18: ENV sees what was set before its line', () => configOf('ENV A=1\nENV A=2 B=$A').Env, [path, 'A=2', 'B=1']],
  [
    '18: ARG sees what is to its left',
    () => historyOf('ARG A=1 B=${A}2\nRUN x').at(-1),
    '* RUN |2 A=1 B=12 /bin/sh -c x # buildkit',
  ],
  [
    '19: ENV beats ARG and --build-arg, in history too',
    () => historyOf('ARG A=1\nARG C\nENV A=2\nRUN x', { buildArgs: { A: '3' } }).at(-1),
    '* RUN |2 A=2 C= /bin/sh -c x # buildkit',
  ],
];

const history: readonly Rule[] = [
  ['20: RUN shows its shell and what made it', () => historyOf('RUN a b').at(-1), '* RUN /bin/sh -c a b # buildkit'],
  ['20: so do COPY and ADD', () => historyOf('COPY a b\nADD c d'), ['* COPY a b # buildkit', '* ADD c d # buildkit']],
  [
    '20: what makes no layer says so',
    () => graphOf('FROM a\nENV A=1').image.history.at(-1),
    { createdBy: 'ENV A=1', comment: 'buildkit.dockerfile.v0', emptyLayer: true },
  ],
  ['20: ONBUILD is not told', () => historyOf('ONBUILD RUN x'), []],
];

const config: readonly Rule[] = [
  [
    '22: CMD [] takes the command away',
    () => configOf('CMD []', { bases: { a: { config: { Cmd: ['x'] } } } }).Cmd,
    undefined,
  ],
  [
    '22: ENTRYPOINT [] takes it away',
    () => configOf('ENTRYPOINT []', { bases: { a: { config: { Entrypoint: ['x'] } } } }).Entrypoint,
    undefined,
  ],
  ['22: any CMD has its arguments escaped', () => configOf('CMD ["a"]').ArgsEscaped, true],
  ['22: what is no JSON is a line for the shell', () => configOf("CMD ['a']").Cmd, ['/bin/sh', '-c', "['a']"]],
  ['22: nor is what goes on behind it', () => configOf('CMD ["a"] b').Cmd, ['/bin/sh', '-c', '["a"] b']],
  ['23: SHELL is for CMD', () => configOf('SHELL ["bash"]\nCMD a').Cmd, ['bash', 'a']],
  ['23: SHELL is for ENTRYPOINT', () => configOf('ENTRYPOINT a', shelly).Entrypoint, ['ash', '-c', 'a']],
  ['23: SHELL is for RUN', () => runOf('SHELL ["bash", "-c"]\nRUN a').args, ['bash', '-c', 'a']],
  ['23: SHELL is for a document', () => runOf('SHELL ["bash", "-c"]\nRUN <<E\na\nE').args.slice(0, 2), ['bash', '-c']],
  [
    '23: SHELL is not for HEALTHCHECK',
    () => configOf('HEALTHCHECK CMD a', shelly).Healthcheck?.Test,
    ['CMD-SHELL', 'a'],
  ],
  [
    '24: EXPOSE sorts, and counts ranges out',
    () => configOf('EXPOSE 90 80-82/TCP').ExposedPorts,
    ['80/tcp', '81/tcp', '82/tcp', '90/tcp'],
  ],
  [
    '25: VOLUME takes what is no JSON as words',
    () => configOf('VOLUME /v ["/w"]').Volumes,
    ['/v', '["/w"]'].map((word) => word.replaceAll('"', '')),
  ],
  ['25: VOLUME trims', () => configOf('VOLUME ["/a", " /b "]').Volumes, ['/a', '/b']],
  ['26: an interval of 0s is none', () => configOf('HEALTHCHECK --interval=0s CMD a').Healthcheck?.Interval, undefined],
  ['26: NONE is kept', () => configOf('HEALTHCHECK NONE').Healthcheck, { Test: ['NONE'] }],
  ['27: STOPSIGNAL is kept as it is written', () => configOf('STOPSIGNAL SIGRTMIN+3').StopSignal, 'SIGRTMIN+3'],
  [
    '27: also as a word or a number',
    () => [configOf('STOPSIGNAL term').StopSignal, configOf('STOPSIGNAL 9').StopSignal],
    ['term', '9'],
  ],
  [
    '48: MAINTAINER is the author, not a label',
    () => [graphOf('FROM a\nMAINTAINER Ann').image.author, configOf('MAINTAINER Ann').Labels],
    ['Ann', undefined],
  ],
];

const stages: readonly Rule[] = [
  [
    '28: the last stage of a name counts',
    () => graphOf('FROM a AS x\nRUN 1\nFROM b AS X\nFROM x').asked,
    ['b linux/amd64'],
  ],
  [
    '29: a stage that nobody needs is not built',
    () => graphOf('FROM a AS x\nRUN false\nFROM b').steps.map(({ title }) => title),
    ['[stage-1 1/1] FROM b'],
  ],
  [
    '50: triggers of the base come first, and are gone in the result',
    () => {
      const { image, steps } = graphOf('FROM a\nRUN 2', { bases: { a: { config: { OnBuild: ['RUN 1'] } } } });
      return [steps.flatMap((step) => (step.kind === 'run' ? [step.args.at(-1)] : [])), image.config.OnBuild];
    },
    [['1', '2'], undefined],
  ],
];

const documents: readonly Rule[] = [
  ['30: a quoted mark is no document', () => runOf('RUN echo "a<<b"').args.at(-1), 'echo "a<<b"'],
  ['30: nor is a shift', () => runOf('RUN echo $((1<<2))').args.at(-1), 'echo $((1<<2))'],
  [
    '30: tabs go only with <<-',
    () => [runOf('RUN <<-E\n\ta\n\tE').args.at(-1), runOf('RUN <<E\n\ta\nE').args.at(-1)],
    ['a\n', '\ta\n'],
  ],
  ['31: a document of COPY is expanded', () => contentOf('ENV A=1\nCOPY <<E /x\n$A \\$A "$NONE"\nE'), '1 $A ""\n'],
  ['31: unless a part of its word is quoted', () => contentOf('ENV A=1\nCOPY <<"E" /x\n$A\nE'), '$A\n'],
  ['31: one of RUN never is', () => runOf('ENV A=1\nRUN <<E\n$A\nE').args.at(-1), '$A\n'],
  ['32: JSON arguments have none', () => runOf('RUN ["a", "<<E"]').args, ['a', '<<E']],
  ['33: comments between continued lines vanish', () => runOf('RUN a \\\n# c\n  # d\n b').args.at(-1), 'a  b'],
  ['33: a backslash at the end is dropped', () => runOf('RUN a \\').args.at(-1), 'a'],
];

function contentOf(text: string): string | undefined {
  const [source] = lastStep('copy', `FROM a\n${text}`).sources;
  return source?.kind === 'inline' ? source.content : undefined;
}

describe.each<[string, readonly Rule[]]>([
  ['WORKDIR', paths],
  ['variables', variables],
  ['history', history],
  ['the config', config],
  ['stages', stages],
  ['documents', documents],
])('semantics: %s', (_area, rules) => {
  it.each(rules)('%s', (_rule, see, expected) => {
    expect(see()).toEqual(expected);
  });
});

const refused: readonly (readonly [rule: string, text: string, message: string])[] = [
  ['11: a mode of too many bits', 'COPY --chmod=77777 a b', 'invalid chmod parameter'],
  ['11: a mode that is none', 'COPY --chmod=64a a b', 'invalid chmod parameter'],
  ['22: an element that is no text', 'CMD ["a", 1]', 'strings only'],
  ['24: a port that is none', 'EXPOSE 90001', 'invalid containerPort: 90001'],
  ['26: an interval below a millisecond', 'HEALTHCHECK --interval=10us CMD a', 'less than'],
  ['27: a signal that is none', 'STOPSIGNAL SIGX', 'invalid signal: SIGX'],
  ['28: a name of other characters', 'FROM a AS 1x', 'invalid name for build stage'],
  ['28: copying from itself', 'FROM a AS x\nCOPY --from=x / /', 'circular dependency detected on stage: x'],
  [
    '28: a variable for --from',
    'COPY --from=$X / /',
    'variable expansion is not supported for --from, define a new stage',
  ],
  ['30: an end that never comes', 'RUN cat <<A; cat <<B\nx\nA\ny\nB', 'unterminated heredoc'],
  ['50: a trigger that triggers', 'ONBUILD ONBUILD RUN x', "isn't allowed"],
  ['50: a trigger that begins a stage', 'ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
];

describe('semantics: refused', () => {
  it.each(refused)('%s', (_rule, text, message) => {
    expect(() => graphOf(`FROM a\n${text}`)).toThrow(message);
  });

  it('29: a target by its number', () => {
    expect(() => graphOf('FROM a AS build', { target: '0' })).toThrow('could not be found');
  });

  it('32: a document as the destination, or where none belongs', () => {
    expect(() => graphOf('FROM a\nCOPY a <<E\nx\nE')).toThrow();
    expect(() => graphOf('FROM a\nENV A=<<E\nx\nE')).toThrow();
  });
});

const ignored: readonly (readonly [rule: string, text: string, path: string, ignored: boolean])[] = [
  ['34: a byte order mark', '\ufeffa', 'a', true],
  ['34: # in the first column', '#a\n #b', '#a', false],
  ['34: # after a blank is a name', '#a\n #b', '#b', true],
  ['34: blanks and dots', '  ./a/../b  ', 'b', true],
  ['34: a slash in front', '/a', 'a', true],
  ['34: the last one that matches', 'a\n!a\na', 'a', true],
  ['34: a folder holds for what is in it', 'a', 'a/b/c', true],
  ['34: ! takes back', 'a\n!a/b', 'a/b', false],
  ['34: ** is any depth', '**/b', 'x/y/b', true],
  ['34: * is one', '*/b', 'x/y/b', false],
];

describe('semantics: ignored files', () => {
  it.each(ignored)('%s (%j, %s)', (_rule, text, file, expected) => {
    expect(createIgnoreMatcher(parseIgnore(text)).matches(file)).toBe(expected);
  });
});
