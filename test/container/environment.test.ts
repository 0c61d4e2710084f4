import { describe, expect, it } from '@jest/globals';
import { completeEnvironment, defaultPath, variable } from '../../src/container/environment.ts';

describe('completeEnvironment', () => {
  it.each([
    ['PATH and HOME are added', ['A=1'], [`PATH=${defaultPath}`, 'A=1', 'HOME=/home/x']],
    ['a PATH stays', ['PATH=/bin', 'HOME=/h'], ['PATH=/bin', 'HOME=/h']],
    ['an empty PATH stays', ['PATH=', 'HOME=/h'], ['PATH=', 'HOME=/h']],
    ['an empty HOME is none', ['PATH=/bin', 'HOME='], ['PATH=/bin', 'HOME=/home/x']],
    ['XHOME is not HOME', ['PATH=/bin', 'XHOME=/h'], ['PATH=/bin', 'XHOME=/h', 'HOME=/home/x']],
  ])('%s', (_, env, expected) => {
    expect(completeEnvironment(env, '/home/x')).toEqual(expected);
  });

  it('takes nothing from our own environment', () => {
    process.env['SLIPWAY_TEST_LEAK'] = 'leak';
    expect(completeEnvironment([], '/').join()).not.toContain('leak');
    delete process.env['SLIPWAY_TEST_LEAK'];
  });
});

describe('variable', () => {
  it('gives the last of several values', () => {
    expect(variable(['A=1', 'AB=2', 'A=3=4'], 'A')).toBe('3=4');
    expect(variable(['AB=2'], 'A')).toBeUndefined();
  });
});
