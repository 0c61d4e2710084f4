import { describe, expect, it } from '@jest/globals';
import { imageFilter } from '../../src/ui/index.ts';

describe('the reference filter', () => {
  it.each([
    ['app', 'docker.io/library/app:1', true],
    ['app:1', 'docker.io/library/app:1', true],
    ['app:2', 'docker.io/library/app:1', false],
    ['a*', 'docker.io/library/app:1', true],
    ['*', 'docker.io/team/app:1', false],
    ['*/*', 'docker.io/team/app:1', true],
    ['*:v?', 'docker.io/library/app:v1', true],
    ['*:v[2-9]', 'docker.io/library/app:v1', false],
    ['*:v[^2-9]', 'docker.io/library/app:v1', true],
    ['a.p', 'docker.io/library/app:1', false],
    ['a\\*', 'docker.io/library/app:1', false],
    ['a(p)p|x', 'docker.io/library/app:1', false],
    ['localhost:5000/*', 'localhost:5000/app:1', true],
  ])('%s on %s: %s', (pattern, name, expected) => {
    expect(imageFilter([`reference=${pattern}`], () => undefined).name(name)).toBe(expected);
  });

  it('takes any of several patterns', () => {
    const filter = imageFilter(['reference=a', 'reference=b'], () => undefined);
    expect(['a', 'b', 'c'].map((name) => filter.name(`docker.io/library/${name}:1`))).toEqual([true, true, false]);
  });
});
