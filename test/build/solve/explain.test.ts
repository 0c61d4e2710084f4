import { describe, expect, it } from '@jest/globals';
import { cacheKeyOf, type KeyParts } from '../../../src/build/solve/cache-key.ts';
import type { StepAccount } from '../../../src/build/solve/account.ts';
import { explainMiss, type Explaining, type MissedStep } from '../../../src/build/solve/explain.ts';

const run: KeyParts = {
  kind: 'run',
  parent: `sha256:${'1'.repeat(64)}`,
  command: '["/bin/sh","-c","make"]',
  environment: '["PATH=/bin","MODE=fast"]',
  user: '',
};
const copy: KeyParts = { kind: 'copy', parent: 'scratch', destination: '/app/', mode: '', sources: 'aaaa' };

function before(kind: StepAccount['kind'], parts: KeyParts, rest: Partial<StepAccount> = {}): StepAccount {
  return { title: `a ${kind}`, kind, stage: 'build', outcome: 'done', parts, ...rest };
}

function missed(kind: MissedStep['kind'], parts: KeyParts, rest: Partial<MissedStep> = {}): MissedStep {
  return { kind, stage: 'build', parts, ...rest };
}

describe('why a step is not cached', () => {
  it.each<readonly [rule: string, step: MissedStep, explaining: Partial<Explaining>, texts: readonly string[]]>([
    [
      'nothing of its kind was there',
      missed('run', run),
      {},
      ['no earlier build of this Dockerfile here had such a step'],
    ],
    [
      'its command changed',
      missed('run', { ...run, command: '["/bin/sh","-c","make all"]' }),
      { before: [before('run', run)] },
      ['command changed: /bin/sh -c make → /bin/sh -c make all'],
    ],
    [
      'variables changed, came and went',
      missed('run', { ...run, environment: '["PATH=/bin","MODE=slow","NEW=1"]' }),
      { before: [before('run', { ...run, environment: '["PATH=/bin","MODE=fast","OLD=2"]' })] },
      ['MODE changed: "fast" → "slow"', 'NEW is new: "1"', 'OLD is gone (was "2")'],
    ],
    [
      'only the order of variables changed',
      missed('run', { ...run, environment: '["MODE=fast","PATH=/bin"]' }),
      { before: [before('run', run)] },
      ['its variables come in another order'],
    ],
    [
      'the user was set',
      missed('run', { ...run, user: 'app' }),
      { before: [before('run', run)] },
      ['user changed: nothing → app'],
    ],
    [
      'a text that begins as a list does was set',
      missed('run', { ...run, user: '[app' }),
      { before: [before('run', run)] },
      ['user changed: nothing → [app'],
    ],
    [
      'the step before it gave something else',
      missed('run', { ...run, parent: 'sha256:2' }, { parent: { title: '[build 2/3] RUN x' } }),
      { before: [before('run', run)] },
      ['the result of [build 2/3] RUN x changed'],
    ],
    [
      'the base image is another',
      missed(
        'run',
        { ...run, parent: 'sha256:2' },
        { parent: { title: 'FROM debian', image: { name: 'debian', digest: `sha256:${'b'.repeat(64)}` } } },
      ),
      { before: [before('image', { name: 'debian', digest: `sha256:${'a'.repeat(64)}` }), before('run', run)] },
      ['the base image debian changed: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb'],
    ],
    [
      'files changed, which ones nobody knows',
      missed('copy', { ...copy, sources: 'bbbb' }),
      { before: [before('copy', copy)] },
      ['what it copies changed'],
    ],
    [
      'these files changed',
      missed('copy', { ...copy, sources: 'bbbb' }),
      {
        before: [before('copy', copy)],
        files: new Map([['sources', [{ part: 'source', name: 'main.c', text: 'main.c changed' }]]]),
      },
      ['main.c changed'],
    ],
    [
      'what is mounted changed',
      missed('run', { ...run, 'mount /src': 'bbbb' }),
      { before: [before('run', { ...run, 'mount /src': 'aaaa' })] },
      ['what is mounted on /src changed'],
    ],
    [
      'what the step says comes before what is below it',
      missed('run', { ...run, parent: 'sha256:2', user: 'app' }, { parent: { title: 'RUN x' } }),
      { before: [before('run', run)] },
      ['user changed: nothing → app', 'the result of RUN x changed'],
    ],
    [
      'it failed before',
      missed('run', run),
      { before: [before('run', run, { outcome: 'failed' })] },
      ['it failed the last time'],
    ],
    [
      'nothing changed but its layer is gone',
      missed('run', run),
      { before: [before('run', run)] },
      ['its result is no longer in the store'],
    ],
  ])('%s', (_, step, explaining, texts) => {
    const reasons = explainMiss(step, { before: [], place: 0, ...explaining });
    expect(reasons.map(({ text }) => text)).toEqual(texts);
  });

  it('compares with the step that does the same, though others were put before it', () => {
    const other = { ...run, command: '["/bin/sh","-c","other"]' };
    const reasons = explainMiss(missed('run', { ...run, user: 'app' }), {
      before: [before('run', run), before('run', other)],
      place: 1,
    });
    expect(reasons.map(({ text }) => text)).toEqual(['user changed: nothing → app']);
  });

  it('compares with the step in its place, of several that do the same', () => {
    const reasons = explainMiss(missed('run', { ...run, user: 'b' }), {
      before: [before('run', { ...run, user: 'first' }), before('run', { ...run, user: 'second' })],
      place: 1,
    });
    expect(reasons.map(({ text }) => text)).toEqual(['user changed: second → b']);
  });

  it('looks only at steps of the same stage', () => {
    const reasons = explainMiss(missed('run', run, { stage: 'other' }), { before: [before('run', run)], place: 0 });
    expect(reasons.map(({ part }) => part)).toEqual(['new']);
  });

  it('never has the value of a variable that is called like a secret', () => {
    const [was, now] = ['hunter2', 'correct horse'].map((secret) =>
      cacheKeyOf({ ...run, environment: JSON.stringify([`API_TOKEN=${secret}`, 'PATH=/bin']) }),
    );
    expect(was?.key).not.toBe(now?.key);
    const reasons = explainMiss(missed('run', now?.parts ?? {}), {
      before: [before('run', was?.parts ?? {})],
      place: 0,
    });
    expect(reasons.map(({ text }) => text)).toEqual([
      'its result is no longer in the store, or a value that is not shown changed: API_TOKEN',
    ]);
    expect(JSON.stringify([was, now, reasons])).not.toMatch(/hunter2|correct horse/);
  });
});
