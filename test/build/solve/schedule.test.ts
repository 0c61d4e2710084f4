import { describe, expect, it } from '@jest/globals';
import { needsOf, schedule, type ScheduleOptions } from '../../../src/build/solve/schedule.ts';
import type { Step, StepId, TreeSource } from '../../../src/dockerfile/index.ts';

/** A step that needs others, in the form of a RUN with bind mounts. */
function step(id: StepId, ...needs: readonly StepId[]): Step {
  const [input, ...others] = needs;
  return {
    id,
    kind: 'run',
    title: `RUN ${id}`,
    stage: 'build',
    input,
    args: [id],
    env: [],
    proxyEnv: [],
    user: '',
    cwd: '/',
    network: 'default',
    security: 'sandbox',
    mounts: others.map((other) => ({
      type: 'bind',
      from: { kind: 'step', step: other } satisfies TreeSource,
      source: '/',
      target: `/${other}`,
      readWrite: false,
    })),
    pipes: [],
  };
}

interface Script {
  /** What a step does; `done` at once unless given. */
  readonly work?: Readonly<Record<StepId, (signal: AbortSignal) => Promise<'done' | 'again'>>>;
  readonly signal?: AbortSignal;
}

async function follow(steps: readonly Step[], { work = {}, signal }: Script = {}) {
  const told: string[] = [];
  const options: ScheduleOptions = {
    perform: async ({ id }, stop) => {
      told.push(`begin ${id}`);
      const outcome = (await work[id]?.(stop)) ?? 'done';
      told.push(`end ${id}`);
      return outcome;
    },
    onFailed: ({ id }) => told.push(`failed ${id}`),
    onCancelled: ({ id }) => told.push(`cancelled ${id}`),
    signal,
  };
  const result = await schedule(steps, options).then(
    ({ failures, again }) => ({ failures: failures.map((each) => each.step.id), again }),
    (error: unknown) => ({ thrown: error }),
  );
  return { told, result };
}

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('stopped', 'AbortError')), { once: true });
  });
const diamond = [step('base'), step('left', 'base'), step('right', 'base'), step('top', 'left', 'right')];

describe('schedule', () => {
  it('begins what does not need each other at once, and the rest when all it needs is done', async () => {
    const left = Promise.withResolvers<'done'>();
    const right = Promise.withResolvers<'done'>();
    const running = follow(diamond, {
      work: {
        left: async () => {
          right.resolve('done'); // right runs already, or this never ends
          return left.promise;
        },
        right: async () => {
          await right.promise;
          left.resolve('done');
          return 'done';
        },
      },
    });
    const { told, result } = await running;
    expect(told.slice(0, 4)).toEqual(['begin base', 'end base', 'begin left', 'begin right']);
    expect(told.slice(-2)).toEqual(['begin top', 'end top']);
    expect(result).toEqual({ failures: [], again: false });
  });

  it('stops what runs at the first failure, begins no more, and reports it alone', async () => {
    const { told, result } = await follow(diamond, {
      work: { left: () => Promise.reject(new Error('broken')), right: untilAborted },
    });
    expect(told).toEqual([
      'begin base',
      'end base',
      'begin left',
      'begin right',
      'failed left',
      'cancelled right',
      'cancelled top',
    ]);
    expect(result).toEqual({ failures: ['left'], again: false });
  });

  it('reports two that failed of themselves, in the order of the graph', async () => {
    const broken = Promise.withResolvers<never>();
    const { result } = await follow(diamond, {
      work: {
        left: (signal) => {
          // Told to stop, it ends with an error of its own all the same.
          signal.addEventListener('abort', () => broken.reject(new Error('left is broken too')));
          return broken.promise;
        },
        right: () => Promise.reject(new Error('broken')),
      },
    });
    expect(result).toEqual({ failures: ['left', 'right'], again: false });
  });

  it('lets what runs end where it is to be begun again', async () => {
    const { told, result } = await follow(diamond, {
      work: {
        left: () => Promise.resolve('again'),
        right: async (signal) => {
          await new Promise(setImmediate);
          expect(signal.aborted).toBe(false);
          return 'done';
        },
      },
    });
    expect(told).toContain('end right');
    expect(told).not.toContain('begin top');
    expect(told).not.toContain('cancelled top');
    expect(result).toEqual({ failures: [], again: true });
  });

  it('ends with the reason of a caller that gives up, when no step runs any more', async () => {
    const controller = new AbortController();
    const reason = new Error('the user left');
    const running = follow(diamond, {
      signal: controller.signal,
      work: {
        base: (signal) => {
          setImmediate(() => controller.abort(reason));
          return untilAborted(signal);
        },
      },
    });
    expect(await running).toEqual({
      told: ['begin base', 'cancelled base', 'cancelled left', 'cancelled right', 'cancelled top'],
      result: { thrown: reason },
    });
  });
});

describe('needsOf', () => {
  const from = (id: StepId): TreeSource => ({ kind: 'step', step: id });
  it.each<readonly [rule: string, step: Step, needs: readonly StepId[]]>([
    [
      'an image needs nothing',
      { id: 'i', kind: 'image', title: '', stage: '', name: 'x', platform: { os: 'linux', architecture: 'amd64' } },
      [],
    ],
    ['a step needs what it starts from, and what it mounts', step('s', 'a', 'b'), ['a', 'b']],
    ['each once', step('s', 'a', 'a'), ['a']],
    [
      'COPY needs the stages that it copies from, not contexts',
      {
        id: 'c',
        kind: 'copy',
        title: '',
        stage: '',
        input: undefined,
        sources: [
          { kind: 'path', from: from('a'), path: '/x' },
          { kind: 'path', from: { kind: 'context' }, path: '/y' },
          { kind: 'inline', name: 'f', content: '' },
        ],
        destination: '/',
        link: false,
        parents: false,
        exclude: [],
        unpack: 'never',
      },
      ['a'],
    ],
  ])('%s', (_, each, needs) => {
    expect(needsOf(each)).toEqual(needs);
  });

  it('tells why a step failed, not why it could not be cleared up afterwards', async () => {
    const options: ScheduleOptions = {
      perform: async () => {
        await using _place = { [Symbol.asyncDispose]: () => Promise.reject(new Error('cannot clear up')) };
        throw new Error('no space left on device');
      },
      onFailed: () => undefined,
      onCancelled: () => undefined,
    };
    const { failures } = await schedule([step('a')], options);
    expect(failures.map(({ error }) => error)).toEqual([new Error('no space left on device')]);
  });
});
