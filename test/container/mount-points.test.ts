import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resolveInside } from '../../src/container/mount-points.ts';

describe('a path of a container', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'slipway-test-'));
    mkdirSync(join(root, 'a/b'), { recursive: true });
    symlinkSync('/a/../../..', join(root, 'up'));
    symlinkSync('b', join(root, 'a/link'));
    symlinkSync(Buffer.from('\xff', 'latin1'), join(root, 'other'));
    symlinkSync('/proc/self/fd/7', Buffer.from(`${root}/\xff`, 'latin1'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it.each([
    ['/a/b', '/a/b', 0],
    ['/a/link/new/one', '/a/b/new/one', 2],
    ['/up/a/b', '/a/b', 0],
  ])('%s is %s', (path, found, missing) => {
    expect(resolveInside(root, path)).toEqual({ path: found, missing });
  });

  it('is not guessed where a link leads to a name that is not UTF-8', () => {
    expect(() => resolveInside(root, '/other')).toThrow('leads to a name that is not UTF-8');
  });
});
