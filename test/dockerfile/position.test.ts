import { describe, expect, it } from '@jest/globals';
import { DockerfileError } from '../../src/dockerfile/index.ts';
import { graphOf } from './build-inputs.ts';

/** `|` marks where the error points; it is taken out before the text is read. */
const cases: readonly (readonly [rule: string, marked: string])[] = [
  ['an unknown instruction', 'FROM a\n|FORM b'],
  ['one behind blanks', 'FROM a\n  \t|FORM b'],
  ['one behind a byte order mark', '\ufeff|FORM b'],
  ['one in a file with carriage returns', 'FROM a\r\n|FORM b\r\n'],
  ['an unknown flag', 'FROM a\nCOPY |--form=b c d'],
  ['the second flag', 'FROM a\nCOPY --link |--form=b c d'],
  ['the one that is given twice', 'FROM a\nCOPY --from=b |--from=b c d'],
  ['a flag on a continued line', 'FROM a\nCOPY \\\n  # why\n\n  --link \\\n |--form=b c d'],
  ['a flag whose name is in one before it', 'FROM a\nCOPY --from=x |--fro=b c d'],
  ['a mount in quotes', 'FROM a\nRUN --mount="|typ=x y" z'],
  ['a field of a mount', 'FROM a\nRUN --mount=type=cache,|targt=/x y'],
  ['a field of the second mount', 'FROM a\nRUN --mount=type=cache,target=/x --mount=type=cache,|targt=/x y'],
  ['the type of a mount', 'FROM a\nRUN |--mount=type=bnid,target=/x y'],
  ['a network mode', 'FROM a\nRUN --security=sandbox |--network=lan y'],
  ['a security mode', 'FROM a\nRUN |--security=none y'],
  ['a device', 'FROM a\nRUN |--device=a,b=c y'],
  ['a stage’s name', 'FROM a AS |1b'],
  ['a platform', 'FROM |--platform=a/b/c/d/e a'],
  ['a base', 'FROM |UPPER/Case'],
  ['a base that is blank', 'FROM |$NONE'],
  ['a base that cannot be expanded', 'FROM |${'],
  ['a time that is none', 'ARG A=1 |SOURCE_DATE_EPOCH=soon\nFROM a'],
  ['a global ARG', 'ARG A=1 B=|${A\nFROM a'],
  ['a word without its equals sign', 'FROM a\nENV A=1 |b'],
  ['a word without it on a continued line', 'FROM a\nENV A=1 \\\n    |b'],
  ['a value that cannot be expanded', 'FROM a\nENV A=1 B=|${x'],
  [
    'a name that is written twice, the second time wrong',
    'FROM a\nENV x=1 B=|$x{$x:x}'.replace('|$x{$x:x}', '|${x:x}'),
  ],
  ['a value in JSON', 'FROM a\nCOPY ["a", "|${x"]'],
  ['a port', 'FROM a\nEXPOSE 80 |90001 81'],
  ['a signal', 'FROM a\nSTOPSIGNAL |SIGNOPE'],
  ['a mode', 'FROM a\nCOPY --link |--chmod=9 a b'],
  ['a name behind --link', 'FROM a\nCOPY --link |--chown=b c d'],
  ['a checksum', 'FROM a\nADD |--checksum=sha256:x a b'],
  ['a source that COPY cannot take', 'FROM a\nCOPY a |https://example.com/x /'],
  ['a variable in --from', 'FROM a\nCOPY |--from=$X a b'],
  ['a stage by number', 'FROM a\nCOPY --link |--from=9 a b'],
  ['an interval', 'FROM a\nHEALTHCHECK --timeout=1s |--interval=x CMD y'],
  ['retries', 'FROM a\nHEALTHCHECK |--retries=-1 CMD y'],
  ['the kind of a health check', 'FROM a\nHEALTHCHECK |HTTP y'],
  ['a heredoc without its end', 'FROM a\nRUN cat |<<E\nx'],
  ['a circle', 'FROM a\n|FROM b AS x\nCOPY --from=x / /'],
];

describe('an error points at', () => {
  it.each(cases)('%s', (_, marked) => {
    const text = marked.replace('|', '');
    const before = marked.slice(0, marked.indexOf('|')).replace('\ufeff', '').split('\n');
    expect(positionOf(text)).toEqual({ line: before.length, column: (before.at(-1)?.length ?? 0) + 1 });
  });

  it('the line of FROM, for what the base brought', () => {
    expect(positionOf('ARG X\nFROM a', { a: { config: { OnBuild: ['RUN --x y'] } } })).toEqual({ line: 2, column: 1 });
  });

  it('and shows it', () => {
    expect(errorOf('FROM a\n\tCOPY \t --form=b c d\n').details).toEqual([
      'Dockerfile:2:9',
      '--------------------',
      '   1 |     FROM a',
      '   2 | >>>     COPY     --form=b c d',
      '     |                  ^',
      '   3 |',
      '--------------------',
    ]);
  });
});

function positionOf(text: string, bases: NonNullable<Parameters<typeof graphOf>[1]>['bases'] = {}) {
  return errorOf(text, bases).position;
}

function errorOf(text: string, bases: NonNullable<Parameters<typeof graphOf>[1]>['bases'] = {}): DockerfileError {
  try {
    graphOf(text, { bases });
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}
