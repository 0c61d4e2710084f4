import { describe, expect, it } from '@jest/globals';
import { parseGitContext, parseGitUrl } from '../../src/dockerfile/index.ts';

const plain = {
  ref: '',
  subdir: '',
  checksum: undefined,
  keepGitDir: undefined,
  submodules: true,
  mtime: 'checkout',
  fetchByCommit: false,
};
const https = { ...plain, transport: 'https', remote: 'https://h/r.git' };
const scp = { ...plain, transport: 'ssh', remote: 'git@h:o/r' };

describe('git URLs', () => {
  const urls: readonly (readonly [text: string, expected: object])[] = [
    ['https://h/r.git', https],
    ['HTTPS://H/r.git', https],
    ['http://h:80/r.git', { ...https, transport: 'http', remote: 'http://h/r.git' }],
    ['https://u:p@h/r.git', { ...https, remote: 'https://u:p@h/r.git' }],
    ['git://h/r', { ...plain, transport: 'git', remote: 'git://h/r' }],
    ['ssh://git@h:22/r', { ...plain, transport: 'ssh', remote: 'ssh://git@h:22/r' }],
    ['git@h:o/r', scp],
    ['me-2@h.x:r.git', { ...scp, remote: 'me-2@h.x:r.git' }],
    ['git@h:o/r#main', { ...scp, ref: 'main' }],
    ['git@h:o/r#main:sub', { ...scp, ref: 'main', subdir: 'sub' }],
    ['git@h:o/r?tag=v1#:sub', { ...scp, ref: 'refs/tags/v1', subdir: 'sub' }],
    ['https://h/r.git#main', { ...https, ref: 'main' }],
    ['https://h/r.git#feature/x:a/b', { ...https, ref: 'feature/x', subdir: 'a/b' }],
    ['https://h/r.git#:a', { ...https, subdir: 'a' }],
    ['https://h/r.git#refs/pull/7/head', { ...https, ref: 'refs/pull/7/head' }],
    ['https://h/r.git#a%20b', { ...https, ref: 'a b' }],
    ['https://h/r.git?ref=main', { ...https, ref: 'main' }],
    ['https://h/r.git?ref=main#main', { ...https, ref: 'main' }],
    ['https://h/r.git?branch=main', { ...https, ref: 'refs/heads/main' }],
    ['https://h/r.git?branch=refs/heads/main', { ...https, ref: 'refs/heads/main' }],
    ['https://h/r.git?tag=v1', { ...https, ref: 'refs/tags/v1' }],
    ['https://h/r.git?tag=v1&ref=refs/tags/v1', { ...https, ref: 'refs/tags/v1' }],
    ['https://h/r.git?subdir=a/./b/', { ...https, subdir: 'a/b' }],
    ['https://h/r.git?subdir=../../etc', { ...https, subdir: 'etc' }],
    ['https://h/r.git#main:../../etc', { ...https, ref: 'main', subdir: 'etc' }],
    ['https://h/r.git?checksum=abc', { ...https, checksum: 'abc' }],
    ['https://h/r.git?commit=abc', { ...https, checksum: 'abc' }],
    ['https://h/r.git?commit=abc&checksum=abc', { ...https, checksum: 'abc' }],
    ['https://h/r.git?keep-git-dir', { ...https, keepGitDir: true }],
    ['https://h/r.git?keep-git-dir=0', { ...https, keepGitDir: false }],
    ['https://h/r.git?submodules=false', { ...https, submodules: false }],
    ['https://h/r.git?submodules', https],
    ['https://h/r.git?mtime=commit', { ...https, mtime: 'commit' }],
    ['https://h/r.git?fetch-by-commit=true', { ...https, fetchByCommit: true }],
  ];
  it.each(urls)('%s', (text, expected) => {
    expect(parseGitUrl(text)).toEqual(expected);
    expect(parseGitContext(text)).toEqual(expected);
  });

  it.each([
    'https://h/r',
    'https://h/r.git/x',
    'file:///r.git',
    'a/b',
    './git@h:r',
    '../git@h:r',
    'git@h',
    'r.git',
    '',
  ])('%j is none', (text) => {
    expect(parseGitUrl(text)).toBeUndefined();
  });

  const short: readonly (readonly [text: string, expected: object])[] = [
    ['github.com/o/r', { ...https, remote: 'https://github.com/o/r' }],
    ['github.com/o/r#v1:sub', { ...https, remote: 'https://github.com/o/r', ref: 'v1', subdir: 'sub' }],
    ['github.com/o/r?tag=v1', { ...https, remote: 'https://github.com/o/r', ref: 'refs/tags/v1' }],
  ];
  it.each(short)('%s is a repository as a context, and a path in an instruction', (text, expected) => {
    expect(parseGitContext(text)).toEqual(expected);
    expect(parseGitUrl(text)).toBeUndefined();
  });
});
