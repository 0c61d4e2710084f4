import { describe, expect, it } from '@jest/globals';
import { type Timeline, timelinePage, TimelineRecorder } from '../../../src/ui/index.ts';
import { lanesOf, ticksOf } from '../../../src/ui/timeline/lanes.ts';
import { cached, cancelled, done, explained, failed, log, plan, start, type Timed, warning } from '../progress/play.ts';

function record(events: readonly Timed[], options: { until?: number; error?: unknown } = {}): Timeline {
  let now = 0;
  const recorder = new TimelineRecorder(() => now);
  for (const [time, event] of events) {
    now = time;
    recorder.event(event);
  }
  now = options.until ?? now;
  return recorder.timeline(options.error);
}

const build: readonly Timed[] = [
  start('load', 'load metadata'),
  done('load', 100),
  plan(
    { id: 'a', kind: 'image', stage: 'x' },
    { id: 'b', stage: 'x', needs: ['a'], location: { start: 2, end: 3 } },
    { id: 'c', stage: '1', kind: 'copy' },
  ),
  start('a', 'FROM', 100),
  done('a', 110),
  start('b', 'RUN', 110),
  start('c', 'COPY', 120),
  warning(130, 'careful'),
  cached('c', 140, { size: 10, saved: 3_000 }),
  explained('b', 150, 'because'),
  log('b', 160, 'one\ntwo'),
  done('b', 900, { size: 20 }),
];

describe('TimelineRecorder', () => {
  it('keeps what a page needs of each step, in times since the beginning', () => {
    const { duration, dockerfile, critical, steps } = record(build, { until: 1_000 });
    expect([duration, dockerfile, critical]).toEqual([1_000, 'Dockerfile', ['load', 'a', 'b']]);
    expect(steps.find(({ id }) => id === 'b')).toEqual({
      id: 'b',
      title: 'RUN',
      kind: 'run',
      stage: 'x',
      outcome: 'done',
      start: 110,
      end: 900,
      needs: ['a'],
      size: 20,
      saved: undefined,
      reasons: [{ part: 'source', text: 'because' }],
      tail: ['one', 'two'],
      error: undefined,
      location: { start: 2, end: 3 },
    });
    expect(steps.map(({ id, kind, outcome }) => `${id} ${kind} ${outcome}`)).toEqual([
      'load around done',
      'a image done',
      'b run done',
      'c copy cached',
    ]);
  });

  it('ends what still ran when the build failed', () => {
    const events = [
      start('a', 'A'),
      start('b', 'B', 50),
      start('c', 'C', 60),
      failed('a', 100, 'no'),
      cancelled('b', 110),
    ];
    const { error, steps } = record(events, { until: 200, error: new Error('no') });
    expect(error).toBe('no');
    expect(steps.map(({ outcome, start: from, end }) => [outcome, from, end])).toEqual([
      ['error', 0, 100],
      ['cancelled', 50, 110],
      ['running', 60, 200],
    ]);
  });
});

describe('lanesOf', () => {
  it('is a lane for each stage, with as few rows as keep steps apart', () => {
    const events = [
      plan({ id: 'a', stage: 'x' }, { id: 'b', stage: 'x' }, { id: 'c', stage: 'x' }, { id: 'd', stage: 'y' }),
      start('a', 'a'),
      start('d', 'd', 5),
      start('b', 'b', 10),
      done('a', 20),
      start('c', 'c', 20),
      done('b', 30),
      done('c', 30),
      done('d', 40),
    ];
    const lanes = lanesOf(record(events).steps).map(({ stage, rows }) => [
      stage,
      ...rows.map((row) => row.map(({ id }) => id).join(' ')),
    ]);
    expect(lanes).toEqual([
      ['x', 'a c', 'b'],
      ['y', 'd'],
    ]);
  });
});

describe('ticksOf', () => {
  it.each([
    [0, '0'],
    [9, '0 2 4 6 8'],
    [800, '0 100 200 300 400 500 600 700'],
    [41_800, '0 10000 20000 30000 40000'],
    [600_000, '0 120000 240000 360000 480000'],
    [36_000_000, '0 7200000 14400000 21600000 28800000'],
  ])('of %d ms are %s', (duration, ticks) => {
    expect(ticksOf(duration).join(' ')).toBe(ticks);
  });
});

describe('timelinePage', () => {
  const hostile = '</script><script>x()</script><img src=x onerror=x()>"\'` javascript:x \u001b[2J \u202e';

  it('has nothing in it that a build said but as text', () => {
    const page = timelinePage(
      record(
        [
          plan({ id: 'a', stage: hostile }),
          start('a', hostile),
          explained('a', 1, hostile),
          log('a', 2, `${hostile}\n`),
          failed('a', 3, hostile),
        ],
        { error: new Error(hostile) },
      ),
    );
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toMatch(/<img|onerror=x\(\)>/);
    // oxlint-disable-next-line no-control-regex -- they are looked for
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  it('asks for nothing from elsewhere', () => {
    const page = timelinePage(record(build));
    expect(page).toContain("default-src 'none'; style-src 'sha256-");
    expect(page).not.toMatch(/https?:|url\(|@import|<link|src=|unsafe/);
  });

  it.each([
    ['of no events', []],
    ['of a build that took no time', [start('a', 'A'), done('a', 0)]],
  ])('%s is a page all the same', (_, events) => {
    const page = timelinePage(record(events as Timed[])).replace(/<script>.*<\/script>/s, '');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});
