import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanCommitTime } from '../../../src/build/contexts/git/work-tree.ts';
import { Repositories } from './git-server.ts';

const committed = 1_600_000_000;
const repositories = new Repositories();
let scratch: string;
let count = 0;
let name: string;
let top: string;

const time = (folder: string) => cleanCommitTime(folder, { scratch: () => mkdtemp(join(scratch, 's-')) });

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'slipway-time-'));
});

afterAll(() => {
  repositories[Symbol.dispose]();
  rmSync(scratch, { recursive: true });
});

beforeEach(() => {
  name = `tree-${count++}`;
  top = join(repositories.root, name);
  repositories.make(name);
  repositories.commit(name, { a: 'a', 'dir/b': 'b', '.gitignore': 'ignored\n' });
});

describe('the commit time of a folder', () => {
  it('is that of a clean work tree, and of a folder in it', async () => {
    expect(await time(top)).toBe(committed);
    expect(await time(join(top, 'dir'))).toBe(committed);
  });

  it('is there with what git ignores', async () => {
    writeFileSync(join(top, 'ignored'), '');
    appendFileSync(join(top, '.git/info/exclude'), 'own\n', { flag: 'a' });
    writeFileSync(join(top, 'own'), '');
    expect(await time(top)).toBe(committed);
  });

  it('is there with references packed, and in a linked work tree', async () => {
    repositories.git(name, 'pack-refs', '--all');
    expect(await time(top)).toBe(committed);
    repositories.git(name, 'worktree', 'add', '--quiet', '../linked');
    expect(await time(join(repositories.root, 'linked'))).toBe(committed);
  });

  it('is there with HEAD detached', async () => {
    repositories.git(name, 'checkout', '--quiet', '--detach');
    expect(await time(top)).toBe(committed);
  });

  const changes: readonly (readonly [name: string, change: () => void])[] = [
    ['a changed file', () => writeFileSync(join(top, 'dir/b'), 'changed')],
    ['a file with another mode', () => chmodSync(join(top, 'dir/b'), 0o755)],
    ['a missing file', () => rmSync(join(top, 'dir/b'))],
    ['a file that git does not know', () => writeFileSync(join(top, 'dir/new'), '')],
    [
      'a change that is staged',
      () => {
        writeFileSync(join(top, 'dir/b'), 'changed');
        repositories.git(name, 'add', 'dir/b');
      },
    ],
  ];
  it.each(changes)('is not that of a tree with %s, but of the rest', async (_, change) => {
    change();
    expect(await time(join(top, 'dir'))).toBeUndefined();
    expect(await time(top)).toBeUndefined();
    mkdirSync(join(top, 'other'));
    expect(await time(join(top, 'other'))).toBe(committed);
  });

  it('is undefined outside of a repository, and in one without a commit', async () => {
    expect(await time(scratch)).toBeUndefined();
    repositories.make('unborn');
    expect(await time(join(repositories.root, 'unborn'))).toBeUndefined();
  });

  it('runs no program that the repository names', async () => {
    const owned = join(scratch, 'owned');
    const config = ['core.fsmonitor', 'filter.evil.clean', 'diff.external', 'log.showSignature', 'gpg.program'];
    for (const key of config) repositories.git(name, 'config', key, `touch ${owned}; cat`);
    repositories.git(name, 'config', 'core.hooksPath', scratch);
    writeFileSync(join(top, '.git/info/attributes'), '* filter=evil\n');
    writeFileSync(join(top, 'a'), 'b'); // of the same size: git has to look inside
    expect(await time(top)).toBeUndefined();
    expect(existsSync(owned)).toBe(false);
  });

  it('leaves index and repository as they are', async () => {
    const stamp = repositories.git(name, 'rev-parse', '--git-path', 'index');
    const changed = () => statSync(join(top, stamp), { bigint: true }).mtimeNs;
    const before = changed();
    writeFileSync(join(top, 'a'), 'a'); // same content, another time: git would refresh its index
    expect(await time(top)).toBe(committed);
    expect(changed()).toBe(before);
  });

  it.each(['ref: refs/../../x', 'ref: refs/heads/none', 'x', ''])('a HEAD that says %j tells nothing', async (head) => {
    writeFileSync(join(top, '.git/HEAD'), head);
    expect(await time(top)).toBeUndefined();
  });
});
