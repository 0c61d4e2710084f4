import { describe, expect, it } from '@jest/globals';
import { cached, cancelled, done, failed, plan, play, start, type Timed } from './play.ts';

const build: readonly Timed[] = [
  plan({ id: 'base', kind: 'image' }, { id: 'deps' }, { id: 'copy', kind: 'copy' }, { id: 'make' }),
  start('base', '[1/4] FROM node'),
  done('base', 20),
  start('deps', '[2/4] RUN npm ci', 20),
  cached('deps', 30, { size: 210_000_000, saved: 72_000 }),
  start('copy', '[3/4] COPY . .', 30),
  done('copy', 130, { size: 1_200_000 }),
  start('make', '[4/4] RUN npm run build', 130),
  done('make', 31_330, { size: 345 }),
  start('export', 'exporting to image', 31_330),
  done('export', 31_400),
];

const summary = (events: readonly Timed[], wanted?: boolean, error?: unknown): string[] => {
  const text = play('plain', events, { summary: wanted, error });
  const lines = play('plain', events, { summary: false, error });
  expect(text.startsWith(lines)).toBe(true);
  return text.slice(lines.length).trimEnd().split('\n').slice(1);
};

describe('the summary of a build', () => {
  it('counts steps, names the slowest and the largest, and says what the cache saved', () => {
    expect(summary(build)).toEqual([
      '5 steps in 31.4s: 4 done, 1 cached (72.0s saved), layers of 211MB',
      '    TIME   SIZE  STEP',
      '   31.2s   345B  [4/4] RUN npm run build',
      '    0.1s  1.2MB  [3/4] COPY . .',
      '    0.1s         exporting to image',
      '  cached  210MB  [2/4] RUN npm ci',
    ]);
  });

  it('is one line where all came from the cache', () => {
    const events: readonly Timed[] = [
      plan({ id: 'a', kind: 'image' }, { id: 'b' }),
      start('a', 'A'),
      done('a', 900),
      start('b', 'B', 900),
      cached('b', 1_500, { saved: 5_000 }),
    ];
    expect(summary(events)).toEqual(['2 steps in 1.5s: 1 done, 1 cached (5.0s saved)']);
  });

  it.each([
    ['after a short build', undefined, []],
    [
      'after a short build where it is wanted',
      true,
      ['1 step in 0.5s: 1 done', '  TIME  SIZE  STEP', '  0.5s        A'],
    ],
  ] as const)('%s', (_, wanted, lines) => {
    expect(summary([plan({ id: 'a' }), start('a', 'A'), done('a', 500)], wanted)).toEqual(lines);
  });

  it('is not shown where it is not wanted, nor after a failure', () => {
    expect(summary(build, false)).toEqual([]);
    const events = [start('a', 'A'), start('b', 'B'), failed('a', 5_000, 'x'), cancelled('b', 5_000)];
    expect(summary(events, true, new Error('x'))).toEqual([]);
  });

  it.each(['quiet', 'json'] as const)('is not among the lines of %s', (kind) => {
    expect(play(kind, build, { summary: true })).not.toContain('TIME');
  });

  it.each(['github', 'gitlab', 'plain', 'tty'] as const)('is at the end of %s', (kind) => {
    expect(play(kind, build, { summary: true, on: kind === 'tty' ? 'terminal' : 'pipe' })).toContain('72.0s saved');
  });
});
