import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GitServer, Repositories } from '../build/contexts/git-server.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

// What a build reads from elsewhere, from real servers on this machine. FROM scratch throughout: nothing is run.

const repositories = new Repositories();
let git: GitServer;
let web: Server;
let files: string;
let asked: string[];
let home: string;
let made = 0;

beforeAll(async () => {
  home = await testHome();
  files = join(home, 'web');
  await mkdir(files);
  await writeFile(join(files, 'f.txt'), 'text');
  repositories.make('app');
  repositories.commit('app', {
    Dockerfile: 'FROM scratch\nCOPY . /\n',
    '.dockerignore': 'kept.txt\n',
    'kept.txt': 'kept',
    'part/Dockerfile': 'FROM scratch\nCOPY . /part/\n',
  });
  git = await GitServer.start(repositories.root);
  asked = [];
  web = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    asked.push(`${request.headers['if-none-match'] === undefined ? 'GET' : 'ask'} ${pathname}`);
    if (request.headers['if-none-match'] === '"1"') return void response.writeHead(304).end();
    const path = join(files, pathname);
    if (!existsSync(path)) return void response.writeHead(404).end();
    response.writeHead(200, { etag: '"1"' });
    createReadStream(path).pipe(response);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await git[Symbol.asyncDispose]();
  repositories[Symbol.dispose]();
  web.closeAllConnections();
  await new Promise((resolve) => web.close(resolve));
});

const webUrl = (path: string) => `http://127.0.0.1:${(web.address() as AddressInfo).port}/${path}`;

interface Built {
  readonly folder: string;
  readonly log: string;
  readonly paths: readonly string[];
}

/** Builds, and lists what came out. */
async function build(
  context: string,
  { dockerfile, args = [] }: { dockerfile?: string; args?: readonly string[] } = {},
) {
  const folder = join(home, `out-${made++}`);
  const input = dockerfile === undefined ? {} : { input: dockerfile };
  const stdin = dockerfile === undefined ? [] : ['-f', '-'];
  const output = `type=local,dest=${folder}`;
  const result = await runCli(['build', '--progress=plain', '-o', output, ...stdin, ...args, context], input);
  if (result.code !== 0) throw new Error(result.stderr);
  const paths = (readdirSync(folder, { recursive: true }) as string[]).sort();
  return { folder, log: result.stderr, paths } satisfies Built;
}

const empty = async (): Promise<string> => {
  const folder = join(home, 'empty');
  await mkdir(folder, { recursive: true });
  return folder;
};

it.each([`https://127.0.0.1:1/${'a'.repeat(300)}.git`, `http://127.0.0.1:1/${'a'.repeat(5000)}`])(
  'an address longer than any path is one nonetheless (%#)',
  async (address) => {
    const { code, stderr } = await runCli(['build', address]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/cannot (?:fetch|download) http/)]);
  },
);

describe('a git context', () => {
  it('has its files, whatever its .dockerignore says, and its own Dockerfile', async () => {
    const { paths } = await build(git.url('app'));
    expect(paths).toEqual(['.dockerignore', 'Dockerfile', 'kept.txt', 'part', 'part/Dockerfile']);
  });

  it('may be a part of the repository', async () => {
    expect((await build(`${git.url('app')}#main:part`)).paths).toEqual(['part', 'part/Dockerfile']);
  });

  it('-f names a Dockerfile in it, not one that lies here', async () => {
    expect((await build(git.url('app'), { args: ['-f', 'part/Dockerfile'] })).paths).toContain('part/kept.txt');
    const outside = await runCli(['build', '-f', join(home, '..'), git.url('app')]);
    expect([outside.code, outside.stderr]).toEqual([1, expect.stringContaining('failed to read dockerfile')]);
  });

  it('BUILDKIT_CONTEXT_KEEP_GIT_DIR keeps its .git', async () => {
    const { folder } = await build(git.url('app'), { args: ['--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1'] });
    expect(existsSync(join(folder, '.git/HEAD'))).toBe(true);
  });

  it('an unchanged commit is a cached build', async () => {
    await build(git.url('app'));
    expect((await build(git.url('app'))).log).toContain('CACHED');
  });

  it('its commit is kept, and goes with the build cache', async () => {
    await build(git.url('app'));
    const kept = join(home, 'store/git');
    expect(readdirSync(kept)).toContain(repositories.git('app', 'rev-parse', 'HEAD'));
    await slipway(['prune', '--all', '--force']);
    expect(existsSync(kept)).toBe(false);
  });

  it('is only read for --check, and leaves nothing', async () => {
    expect(await slipway(['build', '--check', git.url('app')])).toContain('no warnings');
  });
});

describe('ADD of a repository', () => {
  const add = (rest: string, flags = '') => `FROM scratch\nADD ${flags} ${git.url('app')}${rest} /src/\n`;

  it('adds its files', async () => {
    const { paths } = await build(await empty(), { dockerfile: add('') });
    expect(paths).toEqual([
      'src',
      'src/.dockerignore',
      'src/Dockerfile',
      'src/kept.txt',
      'src/part',
      'src/part/Dockerfile',
    ]);
  });

  it('an unchanged commit is known without its files', async () => {
    await build(await empty(), { dockerfile: add('#main') });
    const before = git.seen.length;
    expect((await build(await empty(), { dockerfile: add('#main') })).log).toContain('CACHED');
    // Its references were asked for, no pack.
    expect(git.seen.length - before).toBeLessThanOrEqual(2);
  });

  it('--checksum is the commit, or its beginning', async () => {
    const commit = repositories.git('app', 'rev-parse', 'HEAD');
    await build(await empty(), { dockerfile: add('', `--checksum=${commit.slice(0, 10)}`) });
    const wrong = await runCli(['build', '-f', '-', await empty()], { input: add('', '--checksum=abcdef') });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining(`got ${commit}`)]);
  });

  it('--keep-git-dir keeps its .git', async () => {
    const { paths } = await build(await empty(), { dockerfile: add('', '--keep-git-dir') });
    expect(paths).toContain('src/.git/HEAD');
  });

  it('a reference that is an option runs nothing', async () => {
    const input = add('#--upload-pack=touch$IFS/tmp/slipway-owned');
    const result = await runCli(['build', '-f', '-', await empty()], { input });
    expect([result.code, existsSync('/tmp/slipway-owned')]).toEqual([1, false]);
  });
});

describe('ADD of a URL', () => {
  it('is asked for again, and comes again only when it changed', async () => {
    const dockerfile = `FROM scratch\nADD ${webUrl('f.txt')} /\n`;
    const { folder } = await build(await empty(), { dockerfile });
    expect(readFileSync(join(folder, 'f.txt'), 'utf8')).toBe('text');
    const { log } = await build(await empty(), { dockerfile });
    expect(log).toContain('CACHED');
    expect(asked.filter((each) => each.endsWith('/f.txt'))).toEqual(['GET /f.txt', 'ask /f.txt']);
  });

  it('an archive stays one, unless --unpack says otherwise', async () => {
    execFileSync('tar', ['-czf', join(files, 'a.tgz'), '-C', files, 'f.txt']);
    const dockerfile = (flags: string) => `FROM scratch\nADD ${flags} ${webUrl('a.tgz')} /\n`;
    expect((await build(await empty(), { dockerfile: dockerfile('') })).paths).toEqual(['a.tgz']);
    expect((await build(await empty(), { dockerfile: dockerfile('--unpack') })).paths).toEqual(['f.txt']);
  });
});

describe('an archive as context', () => {
  beforeAll(async () => {
    const tree = join(home, 'tree');
    await mkdir(tree);
    await writeFile(join(tree, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
    await writeFile(join(tree, 'f'), 'f');
    for (const [name, flag] of [
      ['c.tar', '-cf'],
      ['c.tgz', '-czf'],
      ['c.tbz', '-cjf'],
      ['c.txz', '-cJf'],
    ] as const) {
      execFileSync('tar', [flag, join(files, name), '-C', tree, 'Dockerfile', 'f']);
    }
  });

  it.each(['c.tar', 'c.tgz', 'c.tbz', 'c.txz'])('%s as a file, and by its URL', async (name) => {
    expect((await build(join(files, name))).paths).toEqual(['Dockerfile', 'f']);
    expect((await build(webUrl(name))).paths).toEqual(['Dockerfile', 'f']);
  });

  it.each(['c.tgz', 'c.txz'])('%s on standard input', async (name) => {
    const folder = join(home, `out-${made++}`);
    await slipway(['build', '-q', '-o', `type=local,dest=${folder}`, '-'], { input: readFileSync(join(files, name)) });
    expect(readdirSync(folder).sort()).toEqual(['Dockerfile', 'f']);
  });

  it('one that is cut off is an error that says so', async () => {
    await writeFile(join(files, 'cut.txz'), readFileSync(join(files, 'c.txz')).subarray(0, 150));
    const { code, stderr } = await runCli(['build', join(files, 'cut.txz')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot unpack the context')]);
  });

  it('a URL of something else is a Dockerfile', async () => {
    await writeFile(join(files, 'Other'), 'FROM scratch\nCOPY context /self\n');
    const { folder } = await build(webUrl('Other'));
    expect(readFileSync(join(folder, 'self'), 'utf8')).toContain('COPY context');
  });
});

describe('named contexts', () => {
  const named = (value: string) => ({ args: ['--build-context', `x=${value}`] });
  const dockerfile = 'FROM scratch\nCOPY --from=x . /\n';

  it('a repository, a part of it, an archive, and its URL', async () => {
    const at = async (value: string) => (await build(await empty(), { dockerfile, ...named(value) })).paths;
    expect(await at(git.url('app'))).toContain('kept.txt');
    expect(await at(`${git.url('app')}#:part`)).toEqual(['Dockerfile']);
    expect(await at(join(files, 'c.tgz'))).toEqual(['Dockerfile', 'f']);
    expect(await at(webUrl('c.txz'))).toEqual(['Dockerfile', 'f']);
    expect(await at(webUrl('Other'))).toEqual(['Other']);
  });

  it('FROM one that is a repository has its files', async () => {
    const { paths } = await build(await empty(), { dockerfile: 'FROM x\n', ...named(`${git.url('app')}#:part`) });
    expect(paths).toEqual(['Dockerfile']);
  });

  it('target: is an earlier stage', async () => {
    const stages = 'FROM scratch AS one\nCOPY --from=y f /one\nFROM x\nCOPY --from=x /one /two\n';
    const { paths } = await build(await empty(), {
      dockerfile: stages,
      args: ['--build-context', 'x=target:one', '--build-context', `y=${join(files, 'c.tgz')}`],
    });
    expect(paths).toEqual(['one', 'two']);
  });

  it('store-image: is an image of the store', async () => {
    const input = 'FROM scratch\nCOPY <<x /made\ny\nx\n';
    const id = (await slipway(['build', '-q', '-f', '-', await empty()], { input })).trim();
    expect((await build(await empty(), { dockerfile: 'FROM x\n', ...named(`store-image://${id}`) })).paths).toEqual([
      'made',
    ]);
  });

  it('one that is not used is not asked for', async () => {
    const { log } = await build(await empty(), {
      dockerfile: 'FROM scratch\nCOPY <<x /made\ny\nx\n',
      ...named('http://127.0.0.1:1/r.git'),
    });
    expect(log).not.toContain('127.0.0.1:1');
  });
});
