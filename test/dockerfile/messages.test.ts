import { describe, expect, it } from '@jest/globals';
import { DockerfileError, type DockerfileErrorCode, createIgnoreMatcher } from '../../src/dockerfile/index.ts';
import { type GraphOptions, graphOf } from './build-inputs.ts';

/** What `work` throws; the tables of the other tests hold every text, these the rest of an error. */
function errorOf(work: () => unknown): DockerfileError {
  try {
    work();
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

interface Whole {
  readonly code: DockerfileErrorCode;
  readonly text: string;
  readonly message: string;
  readonly lines?: string;
  readonly hint?: string;
  readonly options?: GraphOptions;
}

/** One of each code, and every hint. */
const wholes: readonly Whole[] = [
  { code: 'EMPTY', text: '', message: 'file with no instructions' },
  { code: 'EMPTY', text: 'ARG A', message: 'dockerfile contains no stages to build' },
  {
    code: 'EMPTY',
    text: 'RUN a',
    message: 'dockerfile parse error on line 1: no build stage in current context',
    lines: '1-1',
    hint: 'a stage begins with FROM',
  },
  {
    code: 'SYNTAX',
    text: 'FROM a\nRUN <<E\nx',
    message: 'dockerfile parse error on line 2: unterminated heredoc',
    lines: '2-3',
    hint: 'no line holds just E, which ends it',
  },
  {
    code: 'UNKNOWN_INSTRUCTION',
    text: 'FROM a\n\nCOPI \\\n a b',
    message: 'dockerfile parse error on line 3: unknown instruction: COPI (did you mean COPY?)',
    lines: '3-4',
  },
  {
    code: 'INVALID_FLAG',
    text: 'FROM a\nCOPY --form=x a b',
    message: 'dockerfile parse error on line 2: unknown flag: --form (did you mean from?)',
    lines: '2-2',
  },
  {
    code: 'INVALID_FLAG',
    text: 'FROM a\nRUN --mount=type=cache x',
    message: 'invalid mount target "/"',
    lines: '2-2',
  },
  {
    code: 'INVALID_FLAG',
    text: 'FROM a\nCOPY --from b / /',
    message: 'dockerfile parse error on line 2: missing a value on flag: --from',
    lines: '2-2',
    hint: 'it is written --from=VALUE, without blanks',
  },
  {
    code: 'INVALID_ARGUMENT',
    text: 'FROM a\nENV',
    message: 'dockerfile parse error on line 2: ENV requires at least one argument',
    lines: '2-2',
  },
  {
    code: 'INVALID_ARGUMENT',
    text: 'FROM $A',
    message: 'base name ($A) should not be blank',
    lines: '1-1',
    hint: 'an ARG that FROM uses is declared before the first FROM',
  },
  {
    code: 'INVALID_ARGUMENT',
    text: 'FROM a\nCOPY --chmod=9 a b',
    message: "invalid chmod parameter: '9'. it should be octal string and between 0 and 07777",
    lines: '2-2',
    hint: 'the symbolic form is allowed too, such as u=rwX,go=rX',
  },
  {
    code: 'INVALID_ARGUMENT',
    text: 'FROM a\nCOPY <<x/y /z\n1\nx/y',
    message: 'a heredoc called "x/y" cannot be a file',
    lines: '2-4',
    hint: 'a name without slashes can',
  },
  {
    code: 'INVALID_ARGUMENT',
    text: 'FROM a',
    message: 'invalid SOURCE_DATE_EPOCH: soon',
    hint: 'it is a number of seconds since 1970, context, a named context or a stage',
    options: { buildArgs: { SOURCE_DATE_EPOCH: 'soon' } },
  },
  {
    code: 'BAD_SUBSTITUTION',
    text: 'FROM a\nUSER ${A:?who}',
    message: 'failed to process "${A:?who}": A: who',
    lines: '2-2',
  },
  {
    code: 'UNKNOWN_STAGE',
    text: 'FROM a AS build',
    message: 'target stage "bulid" could not be found (did you mean build?)',
    options: { target: 'bulid' },
  },
  {
    code: 'UNKNOWN_STAGE',
    text: 'FROM a\nFROM b\nCOPY --from=2 / /',
    message: 'invalid stage index 2',
    lines: '3-3',
    hint: 'the stages of this file are 0 to 1',
  },
  {
    code: 'CIRCULAR_DEPENDENCY',
    text: 'FROM a AS x\nCOPY --from=x / /',
    message: 'circular dependency detected on stage: x',
    lines: '1-1',
  },
  {
    code: 'INVALID_PLATFORM',
    text: 'FROM --platform=$P a',
    message: 'empty platform value from expression $P',
    lines: '1-1',
  },
  {
    code: 'NO_CONTEXT',
    text: 'FROM a\nCOPY a b',
    message: 'there is no build context to take files from',
    lines: '2-2',
    hint: 'the Dockerfile came alone on standard input; name a folder as the context',
    options: { hasContext: false },
  },
];

describe('an error', () => {
  it.each(wholes)('$code: $message', ({ code, text, message, lines, hint, options }) => {
    const error = errorOf(() => graphOf(text, options));
    const { range } = error;
    expect({
      code: error.code,
      message: error.message,
      lines: range === undefined ? undefined : `${range.start}-${range.end}`,
      hint: error.hint,
    }).toEqual({ code, message, lines, hint });
  });

  it('of an image’s name says what is wrong with it', () => {
    expect(errorOf(() => graphOf('FROM UPPER')).hint).toBe(
      'not an image name: "UPPER": repository names are in lower case',
    );
  });

  it('shows its lines where it has some', () => {
    for (const { text, options, lines } of wholes) {
      const { details } = errorOf(() => graphOf(text, options));
      expect(details.some((line) => line.includes('>>>'))).toBe(lines !== undefined);
    }
  });

  it('keeps what it was made from', () => {
    expect(errorOf(() => graphOf('FROM a\nENV')).cause).toBeInstanceOf(DockerfileError);
  });

  it('of an ignore file is one too', () => {
    const error = errorOf(() => createIgnoreMatcher(['[']));
    expect([error.code, error.message]).toEqual(['INVALID_PATTERN', 'syntax error in pattern: "["']);
  });

  it('cuts short a word that goes on and on', () => {
    const { message } = errorOf(() => graphOf(`FROM a\nUSER '${'x'.repeat(1000)}`));
    expect(message).toBe(
      `failed to process "'${'x'.repeat(199)}…": unexpected end of statement while looking for matching single-quote`,
    );
  });
});
