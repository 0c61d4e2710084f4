import { describe, expect, it } from '@jest/globals';
import type { ProgressKind, ProgressStream } from '../../../src/ui/index.ts';
import { chooseProgress, progressFor, whileShown } from '../../../src/ui/index.ts';
import { cached, done, explained, failed, log, play, plan, Screen, start, type Timed, warning } from './play.ts';

const events: readonly Timed[] = [
  start('a', 'A'),
  log('a', 100, 'out\n'),
  warning(150, 'careful'),
  [150, { type: 'note', level: 'info', message: 'by the way' }],
  failed('a', 200, 'exit code: 3'),
];

describe('quiet progress', () => {
  it('shows warnings and the output of what failed', () => {
    expect(play('quiet', events)).toBe('WARNING: careful\n------\n > A:\nout\n------\n');
  });
});

describe('notes', () => {
  it.each([
    ['quiet', ''],
    [
      'plain',
      'WARNING: 2 warnings found in the Dockerfile (slipway check shows where):\n - A: a\\x1b (line 3)\n - B: b\n',
    ],
  ] as const)('%s sums up what checks found as %j', (kind, shown) => {
    const findings = [
      { rule: 'A', message: 'a\u001b', line: 3 },
      { rule: 'B', message: 'b' },
    ];
    const message = '2 warnings found in the Dockerfile';
    expect(play(kind, [[0, { type: 'note', level: 'warning', message, findings }]])).toBe(shown);
  });
});

describe('json progress', () => {
  const lines = (list: readonly Timed[], kind: ProgressKind = 'json', error?: unknown): Record<string, unknown>[] =>
    play(kind, list, { error })
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('writes every event as a line with a version and a time, reasons included, and the summary last', () => {
    const all = [plan({ id: 'a' }), ...events.slice(0, 1), explained('a', 10, 'new'), ...events.slice(1)];
    const written = lines(all);
    expect(written.slice(0, -1)).toEqual(all.map(([time, event]) => ({ v: 1, time, ...event })));
    expect(written.at(-1)).toMatchObject({ v: 1, type: 'summary', outcome: 'done', duration: 200 });
  });

  it('has figures of the build in its summary', () => {
    const list = [
      plan({ id: 'a' }, { id: 'b' }),
      start('a', 'A'),
      cached('a', 10, { size: 100, saved: 5_000 }),
      start('b', 'B', 10),
      done('b', 2_010, { size: 7 }),
    ];
    expect(lines(list, 'rawjson', new Error('no space')).at(-1)).toEqual({
      v: 1,
      time: 2_010,
      type: 'summary',
      outcome: 'failed',
      duration: 2_010,
      counts: { running: 0, done: 1, cached: 1, skipped: 0, cancelled: 0, error: 0 },
      saved: 5_000,
      size: 107,
      steps: [
        { id: 'b', title: 'B', outcome: 'done', duration: 2_000, size: 7 },
        { id: 'a', title: 'A', outcome: 'cached', duration: 10, size: 100, saved: 5_000 },
      ],
    });
  });
});

describe('auto', () => {
  it.each([
    ['terminal', {}, 'tty'],
    ['terminal', { TERM: 'dumb' }, 'plain'],
    ['terminal', { CI: 'true', GITHUB_ACTIONS: 'true' }, 'plain'],
    ['pipe', {}, 'plain'],
    ['pipe', { CI: '1' }, 'plain'],
    ['pipe', { GITHUB_ACTIONS: 'true' }, 'github'],
    ['pipe', { GITHUB_ACTIONS: 'false' }, 'plain'],
    ['pipe', { GITLAB_CI: 'true' }, 'gitlab'],
  ] as const)('on a %s with %j is %s', (on, env, kind) => {
    expect(chooseProgress(new Screen(on) as ProgressStream, env)).toBe(kind);
  });
});

describe('stepping aside', () => {
  it.each(['plain', 'json', 'quiet', 'github', 'gitlab', 'tty'] as const)(
    '%s writes nothing meanwhile, and loses nothing',
    (kind) => {
      const screen = new Screen(kind === 'tty' ? 'terminal' : 'pipe');
      const progress = progressFor(kind, screen as ProgressStream, { env: {}, now: () => 0 });
      progress.event({ type: 'step-start', id: 'a', title: 'A', time: 0 });
      progress.suspend();
      const before = screen.text;
      progress.event({ type: 'note', level: 'warning', message: 'meanwhile' });
      expect(screen.text).toBe(before);
      progress.resume();
      progress.end();
      expect(screen.text.slice(before.length)).toContain('meanwhile');
    },
  );

  it('tells the renderer why the work failed, and passes the error on', async () => {
    const error = new Error('no');
    const ended: unknown[] = [];
    const progress = {
      event: () => {},
      end: (why?: unknown) => void ended.push(why),
      suspend: () => {},
      resume: () => {},
    };
    await expect(whileShown(progress, async () => Promise.reject(error))).rejects.toBe(error);
    await expect(whileShown(progress, async () => 7)).resolves.toBe(7);
    expect(ended).toEqual([error, undefined]);
  });
});
