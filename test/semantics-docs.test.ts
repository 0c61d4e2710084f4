import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const project = dirname(import.meta.dirname);
const page = readFileSync(join(project, 'docs', 'semantics.md'), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const [, number, tests] = /^\| (B?\d+) \| .* \| ([^|]*) \|$/.exec(line) ?? [];
  return number === undefined || tests === undefined ? [] : [{ number, tests }];
});

describe('docs/semantics.md', () => {
  it('has all rules, in order', () => {
    const numbers = Array.from({ length: 52 }, (_, index) => String(index + 1));
    expect(rows.map(({ number }) => number)).toEqual([...numbers, 'B1', 'B2', 'B3', 'B4', 'B5']);
  });

  it.each(rows)('names tests of rule $number that are there', ({ tests }) => {
    const named = [...tests.matchAll(/`([^`]+)`: “([^”]+)”/g)];
    expect(named.length).toBeGreaterThan(0);
    for (const [, file = '', title = ''] of named) {
      const path = join(project, file);
      expect([file, existsSync(path) && readFileSync(path, 'utf8').includes(title)]).toEqual([file, true]);
    }
  });
});
