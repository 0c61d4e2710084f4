import { describe, expect, it } from '@jest/globals';
import { lastingOf, lastOf } from '../../../src/build/solve/lasting.ts';
import type { CopyStep, ImageStep, RunStep, Step } from '../../../src/dockerfile/index.ts';

const image = (id: string) => ({ id, kind: 'image' }) as ImageStep;
const run = (id: string, input: string) => ({ id, kind: 'run', input, mounts: [] as unknown }) as RunStep;
const copy = (id: string, input: string, from: string) =>
  ({ id, kind: 'copy', input, sources: [{ from: { kind: 'step', step: from } }] as unknown }) as CopyStep;

const cases: readonly (readonly [what: string, steps: readonly Step[], last: string[], lasting: string[]])[] = [
  ['a stack', [image('i'), run('a', 'i'), run('b', 'a')], ['b'], ['a', 'b', 'i']],
  ['a base alone', [image('i')], ['i'], ['i']],
  ['a stage that another copies from', [image('i'), run('a', 'i'), copy('c', 'i', 'a')], ['c'], ['c', 'i']],
  ['two results', [image('i'), run('a', 'i'), run('b', 'a'), run('c', 'a')], ['b', 'c'], ['a', 'b', 'c', 'i']],
];

describe('what nobody waits for, and what lasts', () => {
  it.each(cases)('%s', (_, steps, last, lasting) => {
    expect([...lastOf(steps)].toSorted()).toEqual(last);
    expect([...lastingOf(steps)].toSorted()).toEqual(lasting);
  });
});
