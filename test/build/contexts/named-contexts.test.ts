import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readNamedIgnore } from '../../../src/build/contexts/ignore-file.ts';
import { normalName, parseNamedContexts } from '../../../src/build/contexts/named-contexts.ts';
import { ScratchTree } from '../scratch.ts';

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
    ['target:base', { kind: 'stage', stage: 'base' }],
    [`store-image://sha256:${'a'.repeat(64)}`, { kind: 'stored', ids: [`sha256:${'a'.repeat(64)}`] }],
    [
      `store-image://sha256:${'a'.repeat(64)},sha256:${'b'.repeat(64)}`,
      { kind: 'stored', ids: [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] },
    ],
    ['https://h/x.tar.gz', { kind: 'url', url: 'https://h/x.tar.gz' }],
    ['https://h/r.git#v1', { kind: 'git', url: expect.objectContaining({ remote: 'https://h/r.git', ref: 'v1' }) }],
    ['git@h:o/r', { kind: 'git', url: expect.objectContaining({ transport: 'ssh', remote: 'git@h:o/r' }) }],
  ];
  it.each(values)('%s', (value, expected) => {
    expect(parseNamedContexts({ base: value }).get('base')).toEqual(expected);
  });

  it('a folder, and a file that is an archive', () => {
    using tree = new ScratchTree({ 'a.tar': 'x' });
    expect(parseNamedContexts({ src: tree.root }).get('src')).toEqual({ kind: 'folder', folder: tree.root });
    const path = `${tree.root}/a.tar`;
    expect(parseNamedContexts({ src: path }).get('src')).toEqual({ kind: 'archive', path });
  });

  it('a folder brings its own .dockerignore', async () => {
    using tree = new ScratchTree({ '.dockerignore': '# no\nlogs\n', f: 'x' });
    expect(await readNamedIgnore(tree.root)).toEqual(['logs']);
  });

  it('a .dockerignore that is no file is not read: a FIFO would be waited for', async () => {
    using tree = new ScratchTree({ f: 'x' });
    execFileSync('mkfifo', [`${tree.root}/.dockerignore`]);
    expect(await readNamedIgnore(tree.root)).toEqual([]);
  });

  it.each([
    ['/nowhere/at/all', 'CONTEXT_NOT_FOUND'],
    ['store-image://debian', 'CONTEXT_INVALID'],
    ['https://example.org/x.git?tag=a&branch=b', 'INVALID_ARGUMENT'],
  ])('refuses %s', (value, code) => {
    expect(() => parseNamedContexts({ base: value })).toThrow(expect.objectContaining({ code }));
  });
});
