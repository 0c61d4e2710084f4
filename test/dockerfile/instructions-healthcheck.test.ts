import { describe, expect, it } from '@jest/globals';
import { graphOf } from './build-inputs.ts';

const good: readonly (readonly [text: string, check: Readonly<Record<string, unknown>>])[] = [
  ['NONE', { Test: ['NONE'] }],
  ['none', { Test: ['NONE'] }],
  ['--interval=1s NONE', { Test: ['NONE'] }],
  ['CMD x', { Test: ['CMD-SHELL', 'x'] }],
  ['cmd x', { Test: ['CMD-SHELL', 'x'] }],
  ['CMD x  y "z" $A', { Test: ['CMD-SHELL', 'x  y "z" $A'] }],
  ['CMD ["a", "b c"]', { Test: ['CMD', 'a', 'b c'] }],
  ['CMD ["a"] b', { Test: ['CMD-SHELL', '["a"] b'] }],
  ['CMD --x', { Test: ['CMD-SHELL', '--x'] }],
  ['--interval=1s CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 1e9 }],
  ['--interval=1ms CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 1e6 }],
  ['--interval=1000us CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 1e6 }],
  ['--interval=1000µs CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 1e6 }],
  ['--interval=1000000ns CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 1e6 }],
  ['--interval=1.5h CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 5400e9 }],
  ['--interval=90m CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 5400e9 }],
  ['--interval=.5s CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 5e8 }],
  ['--interval=1.s CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 1e9 }],
  ['--interval=+2s CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 2e9 }],
  ['--interval=1h2m3s4ms CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 3723.004e9 }],
  ['--interval=1s1s CMD x', { Test: ['CMD-SHELL', 'x'], Interval: 2e9 }],
  ['--interval=0 CMD x', { Test: ['CMD-SHELL', 'x'] }],
  ['--interval=0s CMD x', { Test: ['CMD-SHELL', 'x'] }],
  ['--interval= CMD x', { Test: ['CMD-SHELL', 'x'] }],
  ['--timeout=30s CMD x', { Test: ['CMD-SHELL', 'x'], Timeout: 30e9 }],
  ['--start-period=5m CMD x', { Test: ['CMD-SHELL', 'x'], StartPeriod: 300e9 }],
  ['--start-interval=1s CMD x', { Test: ['CMD-SHELL', 'x'], StartInterval: 1e9 }],
  ['--retries=3 CMD x', { Test: ['CMD-SHELL', 'x'], Retries: 3 }],
  ['--retries=+3 CMD x', { Test: ['CMD-SHELL', 'x'], Retries: 3 }],
  ['--retries=0 CMD x', { Test: ['CMD-SHELL', 'x'] }],
  ['--retries= CMD x', { Test: ['CMD-SHELL', 'x'] }],
  [
    '--retries=1 --timeout=1s --interval=2s --start-period=3s --start-interval=4s CMD x',
    { Test: ['CMD-SHELL', 'x'], Interval: 2e9, Timeout: 1e9, StartPeriod: 3e9, StartInterval: 4e9, Retries: 1 },
  ],
];

describe('HEALTHCHECK', () => {
  it.each(good)('%s', (text, check) => {
    expect(graphOf(`FROM a\nHEALTHCHECK ${text}`).image.config.Healthcheck).toEqual(check);
  });

  it('of the base goes with NONE, and is replaced whole by another', () => {
    const bases = { a: { config: { Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9 } } } };
    const after = (text: string) => graphOf(`FROM a\n${text}`, { bases }).image.config.Healthcheck;
    expect(after('')).toEqual({ Test: ['CMD', 'x'], Interval: 1e9 });
    expect(after('HEALTHCHECK NONE')).toEqual({ Test: ['NONE'] });
    expect(after('HEALTHCHECK CMD y')).toEqual({ Test: ['CMD-SHELL', 'y'] });
  });
});

const bad: readonly (readonly [text: string, message: string])[] = [
  ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
  ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
  ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK TCP 80', 'Unknown type "TCP" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK --interval=10us CMD x', 'Interval "interval" cannot be less than 1ms'],
  ['HEALTHCHECK --timeout=-1s CMD x', 'Interval "timeout" cannot be less than 1ms'],
  ['HEALTHCHECK --interval=10 CMD x', 'time: missing unit in duration "10"'],
  ['HEALTHCHECK --interval=10q CMD x', 'time: unknown unit "q" in duration "10q"'],
  ['HEALTHCHECK --interval=soon CMD x', 'time: invalid duration "soon"'],
  ['HEALTHCHECK --retries=-1 CMD x', '--retries cannot be negative (-1)'],
  ['HEALTHCHECK --retries=x CMD x', '--retries must be a whole number, not "x"'],
  ['HEALTHCHECK --intrval=1s CMD x', 'unknown flag: --intrval (did you mean interval?)'],
  ['HEALTHCHECK --interval=1s', 'HEALTHCHECK requires at least one argument'],
  ['HEALTHCHECK x', 'Unknown type "X" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK CMD ["a", 1]', 'arrays must be comprised of strings only'],
  ['HEALTHCHECK CMD []', 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK --interval CMD x', 'missing a value on flag: --interval'],
  ['HEALTHCHECK --interval=1s --interval=1s CMD x', 'duplicate flag specified: --interval'],
  ['HEALTHCHECK --start-period=999us CMD x', 'Interval "start-period" cannot be less than 1ms'],
  ['HEALTHCHECK --start-interval=1ns CMD x', 'Interval "start-interval" cannot be less than 1ms'],
  ['HEALTHCHECK --interval=1d CMD x', 'time: unknown unit "d" in duration "1d"'],
  ['HEALTHCHECK --interval=1s1 CMD x', 'time: missing unit in duration "1s1"'],
  ['HEALTHCHECK --interval=9999999h CMD x', 'time: invalid duration "9999999h"'],
  ['HEALTHCHECK --interval=- CMD x', 'time: invalid duration "-"'],
  ['HEALTHCHECK --retries=1.5 CMD x', '--retries must be a whole number, not "1.5"'],
  ['HEALTHCHECK --retries=99999999999 CMD x', '--retries must be a whole number, not "99999999999"'],
];

describe('HEALTHCHECK is refused', () => {
  it.each(bad)('%s', (text, message) => {
    expect(() => graphOf(`FROM a\n${text}`)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), range: { start: 2, end: 2 } }),
    );
  });
});
