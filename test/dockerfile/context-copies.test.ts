import { describe, expect, it } from '@jest/globals';
import { contextCopies, parse } from '../../src/dockerfile/index.ts';
import { graphOf, inputs } from './build-inputs.ts';

const copy = (...paths: string[]) => ({ paths, parents: false, exclude: [] });

describe('what is copied from the context is known before any image', () => {
  const cases: readonly [rule: string, text: string, copies: readonly object[]][] = [
    ['the whole of it', 'FROM a\nCOPY . /x/', [copy('/')]],
    ['several paths, and wildcards', 'FROM a\nCOPY b c*/ /x/\nADD d /x/', [copy('/b', '/c*'), copy('/d')]],
    [
      'options that choose files',
      'FROM a\nCOPY --parents --exclude=*.md a/./b /x/',
      [{ paths: ['/a/./b'], parents: true, exclude: ['*.md'] }],
    ],
    [
      'of stages that the target needs',
      'FROM a AS one\nCOPY 1 /\nFROM a AS two\nCOPY 2 /\nFROM one\nCOPY 3 /',
      [copy('/1'), copy('/3')],
    ],
    [
      'not from elsewhere',
      'FROM a AS one\nFROM a\nCOPY --from=one . /x\nADD https://h.example/f /\nADD https://h.example/r.git /r',
      [],
    ],
    ['not where the text does not tell', 'FROM a\nARG V=1\nCOPY $V /x\nCOPY "q" /x\nCOPY b\\c /x\nCOPY <<E /x\nE', []],
    ['nothing of a file that is wrong', 'FROM a\nCOPY --from=b . /x\nFROM a AS b\nFROM ""', []],
  ];
  it.each(cases)('%s', (_, text, copies) => {
    expect(contextCopies(parse(text), inputs())).toEqual(copies);
  });

  it('in the words of the steps', () => {
    const text = 'FROM scratch\nCOPY . /x/\nCOPY ./a/ /b/../c/ d* /x/\nCOPY --parents x/y /x/\nADD --exclude=t e /x/';
    const steps = graphOf(text).steps.flatMap((step) => (step.kind === 'copy' ? [step] : []));
    const asked = steps.map(({ sources, parents, exclude }) => ({
      paths: sources.map((source) => (source.kind === 'path' ? source.path : undefined)),
      parents,
      exclude,
    }));
    expect(asked).toHaveLength(4);
    expect(contextCopies(parse(text), inputs())).toEqual(asked);
  });
});
