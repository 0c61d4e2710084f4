import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { normalName, parseNamedContexts } from '../../src/build/named-contexts.ts';
import { ScratchTree } from './scratch.ts';

describe('named contexts', () => {
  const same: readonly (readonly [name: string, normal: string])[] = [
    ['busybox', 'busybox'],
    ['busybox:latest', 'busybox'],
    ['docker.io/library/busybox', 'busybox'],
    ['Busybox', 'busybox'],
    ['busybox:1.36', 'busybox:1.36'],
    ['localhost:5000/x', 'localhost:5000/x'],
    ['my context', 'my context'],
  ];
  it.each(same)('%s is called %s', (name, normal) => {
    expect(normalName(name)).toBe(normal);
  });

  const values: readonly (readonly [value: string, expected: object])[] = [
    ['oci-layout:///a/b', { kind: 'layout', path: '/a/b', reference: '' }],
    ['oci-layout:///a/b:tag', { kind: 'layout', path: '/a/b', reference: 'tag' }],
    ['oci-layout:///a:1/b', { kind: 'layout', path: '/a:1/b', reference: '' }],
    ['oci-layout:///a/b@sha256:00', { kind: 'layout', path: '/a/b', reference: 'sha256:00' }],
    ['docker-image://debian:12', { kind: 'image', name: 'debian:12' }],
  ];
  it.each(values)('%s', (value, expected) => {
    expect(parseNamedContexts({ base: value }).get('base')).toEqual(expected);
  });

  it('a folder brings its own .dockerignore', () => {
    using tree = new ScratchTree({ '.dockerignore': '# no\nlogs\n', f: 'x' });
    expect(parseNamedContexts({ src: tree.root }).get('src')).toEqual({
      kind: 'folder',
      folder: tree.root,
      ignore: ['logs'],
    });
  });

  it('a .dockerignore that is no file is not read: a FIFO would be waited for', () => {
    using tree = new ScratchTree({ f: 'x' });
    execFileSync('mkfifo', [`${tree.root}/.dockerignore`]);
    expect(parseNamedContexts({ src: tree.root }).get('src')).toMatchObject({ ignore: [] });
  });

  it.each([
    ['/nowhere/at/all', 'CONTEXT_NOT_FOUND'],
    ['https://example.org/x.git', 'UNSUPPORTED'],
  ])('refuses %s', (value, code) => {
    expect(() => parseNamedContexts({ base: value })).toThrow(expect.objectContaining({ code }));
  });
});
