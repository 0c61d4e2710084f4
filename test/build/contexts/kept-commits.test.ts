import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitSource } from '../../../src/build/contexts/git/git-source.ts';
import { KeptCommits } from '../../../src/build/contexts/git/kept-commits.ts';
import { noAccess } from '../../../src/build/contexts/secrets.ts';
import { parseGitUrl } from '../../../src/dockerfile/index.ts';
import { GitServer, Repositories } from './git-server.ts';
import { MemoryFacts } from './memory-facts.ts';

const top = mkdtempSync(join(tmpdir(), 'slipway-kept-'));
let folder: string;
let count = 0;

beforeEach(() => {
  folder = join(top, `kept-${count++}`);
});

afterAll(() => rmSync(top, { recursive: true }));

/** A repository's folder with one object of so many bytes. */
function repository(bytes = 10): string {
  const gitDir = join(top, `repository-${count++}`);
  mkdirSync(join(gitDir, 'objects/pack'), { recursive: true });
  writeFileSync(join(gitDir, 'objects/pack/p'), 'x'.repeat(bytes));
  return gitDir;
}

describe('kept commits', () => {
  it('are given to another repository', async () => {
    const kept = new KeptCommits(folder);
    await kept.keep('a', repository());
    const other = join(top, `other-${count}`);
    expect(await kept.give('a', other)).toBe(true);
    expect(readFileSync(join(other, 'objects/pack/p'), 'utf8')).toBe('x'.repeat(10));
    expect(await kept.give('b', join(top, 'none'))).toBe(false);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('are for their owner alone', async () => {
    await new KeptCommits(folder).keep('a', repository());
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('kept twice are kept once', async () => {
    const kept = new KeptCommits(folder);
    await Promise.all([kept.keep('a', repository()), kept.keep('a', repository())]);
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('go when there are too many, the one that was not used for longest first', async () => {
    const kept = new KeptCommits(folder, { commits: 2, bytes: 1000 });
    await kept.keep('a', repository());
    await kept.keep('b', repository());
    utimesSync(join(folder, 'a'), 1000, 1000);
    utimesSync(join(folder, 'b'), 2000, 2000);
    await kept.give('a', join(top, `used-${count}`));
    await kept.keep('c', repository());
    expect(readdirSync(folder).sort()).toEqual(['a', 'c']);
  });

  it('go when they are too large, and what is too large alone does not come', async () => {
    const kept = new KeptCommits(folder, { commits: 10, bytes: 1000 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await kept.keep(name, repository(240));
    await kept.keep('f', repository(600));
    expect(readdirSync(folder)).toHaveLength(4);
    expect(readdirSync(folder)).not.toContain('f');
  });

  it('of a process that was killed go after a day', async () => {
    const kept = new KeptCommits(folder);
    mkdirSync(join(folder, 'draft-x'), { recursive: true });
    await kept.keep('a', repository());
    expect(readdirSync(folder).sort()).toEqual(['a', 'draft-x']);
    utimesSync(join(folder, 'draft-x'), 1000, 1000);
    await kept.keep('b', repository());
    expect(readdirSync(folder).sort()).toEqual(['a', 'b']);
  });
});

describe('a git source with kept commits', () => {
  const open = async (address: string) => {
    const url = parseGitUrl(address);
    if (url === undefined) throw new Error(address);
    const source = new GitSource(
      { url, keepGitDir: url.keepGitDir ?? false },
      {
        access: noAccess,
        ssh: () => Promise.resolve({ ownKeys: false }),
        anyHost: () => true,
        facts: new MemoryFacts(),
        kept: new KeptCommits(folder),
        scratch: () => mkdtemp(join(top, 's-')),
      },
    );
    return source.open();
  };

  it('fetches an unchanged commit once, and a damaged one again', async () => {
    using repositories = new Repositories();
    await using server = await GitServer.start(repositories.root);
    repositories.make('r');
    const commit = repositories.commit('r', { f: 'text' });
    const packs = () => server.seen.filter(({ path }) => path.endsWith('/git-upload-pack')).length;
    await open(`${server.url('r')}#${commit}`);
    const before = server.seen.length;
    expect(readFileSync(join(await open(`${server.url('r')}#${commit}`), 'f'), 'utf8')).toBe('text');
    const kept = await open(`${server.url('r')}?keep-git-dir=1&ref=${commit}`);
    expect(readdirSync(join(kept, '.git'))).toContain('shallow');
    expect(server.seen.length).toBe(before);
    rmSync(join(folder, commit, 'objects'), { recursive: true });
    mkdirSync(join(folder, commit, 'objects'));
    const asked = packs();
    expect(readFileSync(join(await open(`${server.url('r')}#${commit}`), 'f'), 'utf8')).toBe('text');
    expect(packs()).toBeGreaterThan(asked);
    const healed = packs();
    await open(`${server.url('r')}#${commit}`);
    expect(packs()).toBe(healed);
  });
});
