import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GitSource, type GitSourceOptions } from '../../../src/build/contexts/git/git-source.ts';
import { noAccess, type RemoteAccess } from '../../../src/build/contexts/secrets.ts';
import { parseGitUrl } from '../../../src/dockerfile/index.ts';
import { GitServer, Repositories } from './git-server.ts';
import { MemoryFacts } from './memory-facts.ts';

const repositories = new Repositories();
let server: GitServer;
let scratch: string;

beforeAll(async () => {
  repositories.make('r');
  scratch = mkdtempSync(join(tmpdir(), 'slipway-source-'));
  server = await GitServer.start(repositories.root);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  repositories[Symbol.dispose]();
  rmSync(scratch, { recursive: true });
});

function source(
  address: string,
  options: Partial<GitSourceOptions> & { keepGitDir?: boolean; checksum?: string } = {},
): GitSource {
  const url = parseGitUrl(address);
  if (url === undefined) throw new Error(`${address} is no git URL`);
  const { keepGitDir = url.keepGitDir ?? false, checksum, ...rest } = options;
  return new GitSource(
    { url, keepGitDir, checksum },
    {
      access: noAccess,
      ssh: () => Promise.resolve({ ownKeys: false }),
      anyHost: () => true,
      facts: new MemoryFacts(),
      scratch: () => mkdtemp(join(scratch, 's-')),
      ...rest,
    },
  );
}

describe('a git source', () => {
  let first: string;
  let second: string;
  let side: string;
  let pull: string;
  beforeAll(() => {
    first = repositories.commit('r', { 'a.txt': 'one', 'dir/b.txt': 'b' });
    repositories.git('r', 'tag', 'light');
    repositories.git('r', 'tag', '-a', '-m', 't', 'heavy');
    second = repositories.commit('r', { 'a.txt': 'two' });
    repositories.git('r', 'checkout', '--quiet', '-b', 'feature/x', first);
    side = repositories.commit('r', { 'a.txt': 'side' });
    repositories.git('r', 'update-ref', 'refs/heads/light', side);
    repositories.git('r', 'checkout', '--quiet', '--detach', first);
    pull = repositories.commit('r', { 'a.txt': 'pull' });
    repositories.git('r', 'update-ref', 'refs/pull/7/head', pull);
    repositories.git('r', 'checkout', '--quiet', 'main');
  });

  const refs: readonly (readonly [rest: string, text: string, commit: () => string])[] = [
    ['', 'two', () => second],
    ['#main', 'two', () => second],
    ['#refs/heads/main', 'two', () => second],
    ['#heads/main', 'two', () => second],
    ['#HEAD', 'two', () => second],
    ['?branch=feature/x', 'side', () => side],
    ['?tag=light', 'one', () => first],
    ['#light', 'side', () => side], // a branch before a tag
    ['#heavy', 'one', () => first],
    ['?ref=refs/tags/heavy', 'one', () => first],
    ['#refs/pull/7/head', 'pull', () => pull],
    ['#pull/7/head', 'pull', () => pull],
  ];
  it.each(refs)('%s gives %s', async (rest, text, commit) => {
    const found = source(server.url('r') + rest);
    expect((await found.resolve()).commit).toBe(commit());
    expect(readFileSync(join(await found.open(), 'a.txt'), 'utf8')).toBe(text);
  });

  it('a commit is fetched by its id alone, and asked for only then', async () => {
    const before = server.seen.length;
    const found = source(`${server.url('r')}#${first}`);
    expect(JSON.parse(await found.identity())).toEqual(['git', first, '', true]);
    expect(server.seen.length).toBe(before);
    expect(readFileSync(join(await found.open(), 'a.txt'), 'utf8')).toBe('one');
  });

  it('has the files with their modes whatever our mask, and no .git', async () => {
    const before = process.umask(0o077);
    try {
      const folder = await source(server.url('r')).open();
      expect(readdirSync(folder).sort()).toEqual(['a.txt', 'dir']);
      expect(statSync(join(folder, 'a.txt')).mode & 0o777).toBe(0o644);
      expect(statSync(join(folder, 'dir')).mode & 0o777).toBe(0o755);
    } finally {
      process.umask(before);
    }
  });

  it('a subdirectory is its content alone', async () => {
    expect(readdirSync(await source(`${server.url('r')}#main:dir`).open())).toEqual(['b.txt']);
    expect(readdirSync(await source(`${server.url('r')}?subdir=dir`).open())).toEqual(['b.txt']);
  });

  it('mtime=commit gives files the time of their commit', async () => {
    const found = source(`${server.url('r')}?mtime=commit`);
    expect(statSync(join(await found.open(), 'dir/b.txt')).mtimeMs).toBe(1_600_000_000_000);
    expect(await found.commitTime()).toBe(1_600_000_000);
  });

  it('the time of a commit is remembered', async () => {
    const facts = new MemoryFacts();
    await source(server.url('r'), { facts }).commitTime();
    const opened: string[] = [];
    const again = source(server.url('r'), {
      facts,
      scratch: () => {
        opened.push('scratch');
        return mkdtemp(join(scratch, 's-'));
      },
    });
    expect(await again.commitTime()).toBe(1_600_000_000);
    expect(opened).toEqual([]);
  });

  describe('with keep-git-dir', () => {
    it('.git has the commit, its name and where it came from, and nothing that hangs on when it was made', async () => {
      const folder = await source(`${server.url('r')}?keep-git-dir=true`).open();
      const git = (...args: string[]) => repositories.git(join('../', folder.slice(tmpdir().length)), ...args);
      expect(git('rev-parse', 'HEAD', 'main')).toBe(`${second}\n${second}`);
      expect(git('config', 'remote.origin.url')).toBe(server.url('r'));
      expect(git('status', '--porcelain')).toBe('');
      expect(git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
      expect(readdirSync(join(folder, '.git')).sort()).toEqual(
        ['HEAD', 'config', 'index', 'objects', 'refs', 'shallow'].sort(),
      );
    });

    it('its identity names the repository', async () => {
      const identity = await source(`${server.url('r')}?keep-git-dir=true`).identity();
      expect(JSON.parse(identity)).toEqual(['git', second, '', true, second, 'refs/heads/main', server.url('r')]);
    });

    it('a subdirectory has none', async () => {
      expect(readdirSync(await source(`${server.url('r')}?keep-git-dir=true&subdir=dir`).open())).toEqual(['b.txt']);
    });
  });

  describe('checksum', () => {
    const good: readonly (readonly [rest: string, checksum: () => string])[] = [
      ['', () => second],
      ['', () => second.slice(0, 7)],
      ['#heavy', () => first],
      ['#heavy', () => repositories.git('r', 'rev-parse', 'heavy').slice(0, 12)],
      ['#main', () => second.toUpperCase()],
    ];
    it.each(good)('%s is what it must be', async (rest, checksum) => {
      await expect(source(server.url('r') + rest, { checksum: checksum() }).resolve()).resolves.toBeDefined();
    });

    it.each(['#main', '#heavy', '#feature/x'])('%s is refused where it is another', async (rest) => {
      const wrong = source(server.url('r') + rest, { checksum: 'dead' });
      await expect(wrong.resolve()).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    });

    it('fetch-by-commit takes the commit, whatever the branch is now', async () => {
      const found = source(`${server.url('r')}?branch=main&fetch-by-commit=true&checksum=${first}`);
      expect(readFileSync(join(await found.open(), 'a.txt'), 'utf8')).toBe('one');
    });

    it('a whole commit without a reference is fetched', async () => {
      const found = source(server.url('r'), { checksum: first });
      expect(readFileSync(join(await found.open(), 'a.txt'), 'utf8')).toBe('one');
    });
  });

  describe('hostile input', () => {
    const rests: readonly (readonly [rest: string, code: string])[] = [
      ['#--upload-pack=touch%20/tmp/slipway-owned', 'CONTEXT_INVALID'],
      ['?ref=-x', 'CONTEXT_INVALID'],
      ['?branch=-x', 'CONTEXT_INVALID'],
      ['#a..b', 'CONTEXT_INVALID'],
      ['#main^{tree}', 'CONTEXT_INVALID'],
      ['#main@{1}', 'CONTEXT_INVALID'],
      ['?ref=refs/*', 'CONTEXT_INVALID'],
      ['?ref=a%0ab', 'CONTEXT_INVALID'],
      ['#:../../etc', 'CONTEXT_INVALID'], // means etc in the repository, which has none
      ['#:a.txt', 'CONTEXT_INVALID'],
      ['?checksum=--x', 'CONTEXT_INVALID'],
      ['?fetch-by-commit=true&ref=main', 'CONTEXT_INVALID'],
      ['#nosuch', 'GIT_FAILED'],
      [`#${'0'.repeat(40)}`, 'GIT_FAILED'],
    ];
    it.each(rests)('%s: %s', async (rest, code) => {
      await expect(source(server.url('r') + rest).open()).rejects.toMatchObject({ code });
      expect(existsSync('/tmp/slipway-owned')).toBe(false);
    });

    it.each([
      'ssh://-oProxyCommand=touch%20%2ftmp%2fslipway-owned/r',
      'ssh://%2doProxyCommand=touch%20%2ftmp%2fslipway-owned/r',
      'git@-oProxyCommand:r',
      'git://%2d/x',
      'ssh://a:b@h/r',
    ])('%s is no address', async (address) => {
      await expect(source(address).resolve()).rejects.toMatchObject({ code: 'CONTEXT_INVALID' });
    });

    it('a subdirectory that is a link leads nowhere', async () => {
      repositories.make('links');
      repositories.commit('links', { etc: { link: '/etc' }, up: { link: '..' }, 'real/f': 'x' });
      for (const dir of ['etc', 'up', 'up/etc', 'etc/ssl']) {
        const failing = source(`${server.url('links')}#:${dir}`).open();
        await expect(failing).rejects.toMatchObject({
          code: 'CONTEXT_INVALID',
          message: expect.stringContaining('link'),
        });
      }
    });

    it('links of a repository stay links', async () => {
      const folder = await source(server.url('links')).open();
      expect(lstatSync(join(folder, 'etc')).isSymbolicLink()).toBe(true);
    });

    it('a default branch with the name of an option is only a commit', async () => {
      repositories.make('head');
      const commit = repositories.commit('head', { f: 'x' });
      repositories.git('head', 'update-ref', 'refs/heads/-x', commit);
      repositories.git('head', 'symbolic-ref', 'HEAD', 'refs/heads/-x');
      const found = source(server.url('head'));
      expect(await found.resolve()).toEqual({ commit, object: commit, name: undefined });
      expect(readdirSync(await found.open())).toEqual(['f']);
    });

    it('hooks and filters of a repository never run', async () => {
      repositories.make('filter');
      repositories.commit('filter', { '.gitattributes': '* filter=lfs diff=evil\n', f: 'pointer' });
      expect(readFileSync(join(await source(server.url('filter')).open(), 'f'), 'utf8')).toBe('pointer');
    });
  });

  describe('access', () => {
    const basic = `Basic ${Buffer.from('x-access-token:s3cret').toString('base64')}`;
    const withSecret = (id: string, value = 's3cret'): RemoteAccess => ({
      ...noAccess,
      secret: (wanted) => Promise.resolve(wanted === id ? Buffer.from(value) : undefined),
    });

    const ways: readonly (readonly [name: string, access: (host: string) => RemoteAccess])[] = [
      ['GIT_AUTH_TOKEN', () => withSecret('GIT_AUTH_TOKEN')],
      ['GIT_AUTH_TOKEN with a newline', () => withSecret('GIT_AUTH_TOKEN', 's3cret\n')],
      ['GIT_AUTH_TOKEN.host', (host) => withSecret(`GIT_AUTH_TOKEN.${host}`)],
      ['GIT_AUTH_HEADER', () => withSecret('GIT_AUTH_HEADER', basic)],
      ['GIT_AUTH_HEADER.host', (host) => withSecret(`GIT_AUTH_HEADER.${host}`, basic)],
    ];
    it.each(ways)('by %s', async (_, access) => {
      await using closed = await GitServer.start(repositories.root, { authorization: basic });
      expect(readdirSync(await source(closed.url('r'), { access: access(closed.host) }).open())).toContain('a.txt');
    });

    it('by the user info of the URL, which is never in .git', async () => {
      const own = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
      await using closed = await GitServer.start(repositories.root, { authorization: own });
      const address = closed.url('r').replace('//', '//me:p%40ss@');
      const folder = await source(`${address}?keep-git-dir=true`).open();
      expect(readFileSync(join(folder, '.git/config'), 'utf8')).not.toMatch(/p%40ss|p@ss|me:/);
    });

    it('a token for another host is not shown', async () => {
      await using closed = await GitServer.start(repositories.root, { authorization: basic });
      const failing = source(closed.url('r'), { access: withSecret('GIT_AUTH_TOKEN.example.com') }).resolve();
      await expect(failing).rejects.toMatchObject({
        code: 'GIT_FAILED',
        hint: expect.stringContaining(`GIT_AUTH_TOKEN.${closed.host}`),
      });
      expect(closed.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    });

    it('a token without a host is for the origin of the context alone', async () => {
      await using closed = await GitServer.start(repositories.root, { authorization: basic });
      const options = { access: withSecret('GIT_AUTH_TOKEN'), anyHost: () => false };
      await expect(source(closed.url('r'), options).resolve()).rejects.toMatchObject({ code: 'GIT_FAILED' });
    });

    it('shows no token that a server repeats in its words', async () => {
      const echo = createHttpServer((request, response) => {
        const said = `${request.headers.authorization} ${Buffer.from(`x-access-token:s3cret-canary`).toString()}`;
        response.writeHead(403, { 'content-type': 'text/plain' }).end(said);
      });
      await once(echo.listen(0, '127.0.0.1'), 'listening');
      const address = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/r.git`;
      const error: unknown = await source(address, { access: withSecret('GIT_AUTH_TOKEN', 's3cret-canary') })
        .resolve()
        .catch((failure: unknown) => failure);
      echo.close();
      const { details, cause } = error as { details: readonly string[]; cause: { stderr: string } };
      const told = [...details, cause.stderr].join('\n');
      expect(told).toContain('remote: Basic ***');
      expect(told).not.toMatch(/canary|czNjcmV0/);
    });

    it('a secret of several lines is refused: it would be further headers', async () => {
      const access = withSecret('GIT_AUTH_TOKEN', 'a\r\nX: y');
      await expect(source(server.url('r'), { access }).resolve()).rejects.toMatchObject({ code: 'CONTEXT_INVALID' });
    });

    it('a redirect to another origin is followed without it', async () => {
      await using open = await GitServer.start(repositories.root);
      await using moved = await GitServer.start(repositories.root, {
        before: (request, response) => {
          response.writeHead(301, { location: `http://${open.host}${request.url}` }).end();
          return true;
        },
      });
      const folder = await source(moved.url('r'), { access: withSecret('GIT_AUTH_TOKEN') }).open();
      expect(readdirSync(folder)).toContain('a.txt');
      expect(moved.seen[0]?.authorization).toBe(basic);
      expect(open.seen.length).toBeGreaterThan(1);
      expect(open.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    });

    it('a redirect within the origin keeps it', async () => {
      await using closed = await GitServer.start(repositories.root, {
        authorization: basic,
        before: (request, response) => {
          if (request.url?.startsWith('/old/') !== true) return false;
          response.writeHead(301, { location: request.url.replace('/old/', '/r/') }).end();
          return true;
        },
      });
      const access = withSecret('GIT_AUTH_TOKEN');
      expect(readdirSync(await source(closed.url('old'), { access }).open())).toContain('a.txt');
    });
  });

  describe('servers', () => {
    it('one that gives files alone (no depth, no commits by id) is read as a whole', async () => {
      await using dumb = await GitServer.start(repositories.root, {
        before: (request, response) => {
          const { pathname } = new URL(request.url ?? '/', 'http://x');
          const file = join(repositories.root, pathname);
          if (existsSync(file) && statSync(file).isFile()) response.end(readFileSync(file));
          else response.writeHead(404).end();
          return true;
        },
      });
      repositories.git('r', 'update-server-info');
      expect(readFileSync(join(await source(`${dumb.url('r')}#${first}`).open(), 'a.txt'), 'utf8')).toBe('one');
    });

    it('a first answer that fails for a reason that passes is asked for again', async () => {
      let times = 0;
      await using shaky = await GitServer.start(repositories.root, {
        before: (_, response) => {
          if (++times > 1) return false;
          response.writeHead(503).end();
          return true;
        },
      });
      expect((await source(shaky.url('r')).resolve()).commit).toBe(second);
    });

    it('aborting ends git while the server is silent', async () => {
      await using silent = await GitServer.start(repositories.root, { before: () => true });
      const controller = new AbortController();
      const waiting = source(silent.url('r'), { signal: controller.signal }).resolve();
      while (silent.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      controller.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    });

    it('a repository of sha256 is read', async () => {
      repositories.make('sha256');
      rmSync(join(repositories.root, 'sha256/.git'), { recursive: true });
      repositories.git('sha256', 'init', '--quiet', '--object-format=sha256', '--initial-branch=main');
      const commit = repositories.commit('sha256', { f: 'x' });
      expect(commit).toHaveLength(64);
      expect(readdirSync(await source(server.url('sha256')).open())).toEqual(['f']);
      expect(readdirSync(await source(`${server.url('sha256')}#${commit}`).open())).toEqual(['f']);
    });
  });

  describe('submodules', () => {
    const gitmodules = (path: string, url: string) => `[submodule "s"]\n\tpath = ${path}\n\turl = ${url}\n`;

    beforeAll(() => {
      repositories.make('inner');
      const inner = repositories.commit('inner', { deep: 'deep' });
      repositories.make('middle');
      const middle = repositories.commit('middle', {
        '.gitmodules': gitmodules('lib/inner', '../../inner/.git'),
        'lib/inner': { commit: inner },
        mid: 'mid',
      });
      repositories.make('outer');
      repositories.commit('outer', {
        '.gitmodules': gitmodules('sub', server.url('middle')),
        sub: { commit: middle },
        f: 'f',
      });
    });

    it('come with their own, by relative addresses too', async () => {
      const folder = await source(server.url('outer')).open();
      expect(readFileSync(join(folder, 'sub/mid'), 'utf8')).toBe('mid');
      expect(readFileSync(join(folder, 'sub/lib/inner/deep'), 'utf8')).toBe('deep');
      expect(existsSync(join(folder, 'sub/.git'))).toBe(false);
    });

    it('submodules=false leaves them out', async () => {
      const folder = await source(`${server.url('outer')}?submodules=false`).open();
      expect(readdirSync(join(folder, 'sub'))).toEqual([]);
    });

    it('a part of the repository may be in one', async () => {
      expect(readdirSync(await source(`${server.url('outer')}#:sub/lib/inner`).open())).toEqual(['deep']);
    });

    const bad: readonly (readonly [name: string, path: string, url: string])[] = [
      ['an address that is a file', 'sub', 'file:///etc'],
      ['an address that is a path', 'sub', '/etc'],
      ['an address that runs a program', 'sub', 'ext::sh -c touch% /tmp/slipway-owned'],
      ['an address that is an option', 'sub', '-u./payload'],
      ['an address above the server', 'sub', '../../../../../x'],
      ['a path with a carriage return', '"sub\\r"', 'http://127.0.0.1:1/x.git'],
      ['a path that leads out', '../sub', 'http://127.0.0.1:1/x.git'],
      ['a path in .git', '.git/hooks', 'http://127.0.0.1:1/x.git'],
      ['a path in .GIT', 'a/.GIT', 'http://127.0.0.1:1/x.git'],
      ['a path that is an option', '-x', 'http://127.0.0.1:1/x.git'],
    ];
    it.each(bad)('%s is refused', async (name, path, url) => {
      const repository = `bad-${name.replaceAll(/\W/g, '-')}`;
      repositories.make(repository);
      const commit = repositories.git('inner', 'rev-parse', 'HEAD');
      repositories.commit(repository, { '.gitmodules': gitmodules(path, url), sub: { commit } });
      await expect(source(server.url(repository)).open()).rejects.toMatchObject({ code: 'CONTEXT_INVALID' });
      expect(existsSync('/tmp/slipway-owned')).toBe(false);
    });

    it('a submodule at another origin does not get a token without a host', async () => {
      const basic = `Basic ${Buffer.from('x-access-token:s3cret').toString('base64')}`;
      await using main = await GitServer.start(repositories.root, { authorization: basic });
      await using other = await GitServer.start(repositories.root);
      repositories.make('asks');
      repositories.commit('asks', {
        '.gitmodules': gitmodules('sub', other.url('inner')),
        sub: { commit: repositories.git('inner', 'rev-parse', 'HEAD') },
      });
      const access = {
        ...noAccess,
        secret: (id: string) => Promise.resolve(id === 'GIT_AUTH_TOKEN' ? Buffer.from('s3cret') : undefined),
      };
      expect(readdirSync(join(await source(main.url('asks'), { access }).open(), 'sub'))).toEqual(['deep']);
      expect(other.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    });

    it('one in the place of a link is refused', async () => {
      repositories.make('swap');
      repositories.commit('swap', { a: { link: '/tmp' } });
      const commit = repositories.git('inner', 'rev-parse', 'HEAD');
      // A tree cannot hold both a link and what is below it; .gitmodules can say so.
      repositories.commit('swap', { '.gitmodules': gitmodules('a/b', server.url('inner')), sub: { commit } });
      const folder = await source(server.url('swap')).open();
      expect(existsSync('/tmp/b')).toBe(false);
      expect(lstatSync(join(folder, 'a')).isSymbolicLink()).toBe(true);
    });
  });

  it('a git that knows no settings from the environment is not used', async () => {
    const { runGit } = await import('../../../src/build/contexts/git/run-git.ts');
    const old = join(scratch, 'old');
    mkdirSync(old);
    writeFileSync(join(old, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 });
    const path = process.env['PATH'];
    process.env['PATH'] = `${old}:${path}`;
    try {
      await expect(runGit(['ls-remote'])).rejects.toMatchObject({
        code: 'GIT_MISSING',
        hint: expect.stringContaining('2.31'),
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('a server of the git protocol that never answers is given up', async () => {
    const { runGit } = await import('../../../src/build/contexts/git/run-git.ts');
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const url = `git://127.0.0.1:${(mute.address() as AddressInfo).port}/x`;
    const asking = runGit(['ls-remote', '--', url], { protocols: 'git', idleLimit: 200 });
    await expect(asking).rejects.toMatchObject({ code: 'GIT_FAILED', message: 'git: nothing came for 0.2 s' });
    mute.close();
  });
});
