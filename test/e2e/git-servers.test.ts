import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GitServer, Repositories } from '../build/contexts/git-server.ts';
import { leftovers } from './leftovers.ts';
import { ordinaryUser, type OrdinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { run, runCli, testHome } from './run-cli.ts';

// Repositories behind the servers that git itself has.

const repositories = new Repositories();
let home: string;
let empty: string;
let made = 0;

beforeAll(async () => {
  home = await testHome();
  empty = join(home, 'empty');
  await mkdir(empty);
  repositories.make('app');
  repositories.commit('app', { Dockerfile: 'FROM scratch\nCOPY . /\n', 'dir/f': 'f' });
});

afterAll(() => {
  repositories[Symbol.dispose]();
});

async function build(context: string, env: Record<string, string> = {}, args: readonly string[] = []) {
  const folder = join(home, `out-${made++}`);
  const result = await runCli(['build', '--progress=plain', '-o', `type=local,dest=${folder}`, ...args, context], {
    env,
  });
  return { ...result, paths: existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).sort() : [] };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until a server takes connections. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const there = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (there) return;
    await delay(20);
  }
}

async function end(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined || server.exitCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await ended;
}

describe('git daemon', () => {
  let daemon: ChildProcess;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const program = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-daemon');
    const where = [`--base-path=${repositories.root}`, '--export-all', '--listen=127.0.0.1', `--port=${port}`];
    daemon = spawn(program, [...where, '--reuseaddr', repositories.root], {
      stdio: 'ignore',
      env: {
        PATH: process.env['PATH'],
        HOME: '/dev/null',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
      },
    });
    await listening(port);
  });

  afterAll(() => end(daemon));

  it('gives a context over git://', async () => {
    const { paths, stderr } = await build(`git://127.0.0.1:${port}/app/.git#main`);
    expect(stderr).toContain(`[internal] load git source git://127.0.0.1:${port}/app/.git#main`);
    expect(paths).toEqual(['Dockerfile', 'dir', 'dir/f']);
  });

  it('has no such repository: an error that says so', async () => {
    const { code, stderr } = await build(`git://127.0.0.1:${port}/none/.git`);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`git://127.0.0.1:${port}/none/.git`)]);
  });
});

const sshd = '/usr/sbin/sshd';
const noSsh = process.getuid?.() !== 0 ? 'needs root' : existsSync(sshd) ? undefined : 'needs openssh-server';

(noSsh === undefined ? describe : describe.skip)(`ssh${noSsh === undefined ? '' : ` (${noSsh})`}`, () => {
  let server: ChildProcess;
  let agent: { readonly socket: string; readonly pid: number };
  let url: string;
  let known: string;

  beforeAll(async () => {
    const folder = join(home, 'sshd');
    await mkdir(folder, { mode: 0o700 });
    await mkdir('/run/sshd', { recursive: true });
    const key = (name: string) =>
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    key('host');
    key('user');
    const port = await freePort();
    const settings = {
      Port: port,
      ListenAddress: '127.0.0.1',
      HostKey: join(folder, 'host'),
      AuthorizedKeysFile: join(folder, 'user.pub'),
      StrictModes: 'no',
      UsePAM: 'no',
      PidFile: 'none',
      PermitRootLogin: 'yes',
      PasswordAuthentication: 'no',
    };
    await writeFile(
      join(folder, 'config'),
      Object.entries(settings)
        .map(([name, value]) => `${name} ${value}\n`)
        .join(''),
    );
    server = spawn(sshd, ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore' });
    await listening(port);
    const socket = join(folder, 'agent');
    const said = execFileSync('ssh-agent', ['-a', socket], { encoding: 'utf8' });
    agent = { socket, pid: Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]) };
    execFileSync('ssh-add', ['-q', join(folder, 'user')], { env: { SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    known = `[127.0.0.1]:${port} ${readFileSync(join(folder, 'host.pub'), 'utf8')}`;
    url = `ssh://root@127.0.0.1:${port}${repositories.root}/app/.git`;
  });

  afterAll(async () => {
    await end(server);
    process.kill(agent.pid);
  });

  it('a host that is not known is not spoken to', async () => {
    const { code, stderr } = await build(url, { SSH_AUTH_SOCK: agent.socket });
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not known')]);
    expect(stderr).toContain('known_hosts');
  });

  it('a context comes with the keys of the agent', async () => {
    await mkdir(join(home, '.ssh'));
    await writeFile(join(home, '.ssh/known_hosts'), known);
    const { paths, stderr } = await build(url, { SSH_AUTH_SOCK: agent.socket });
    expect([paths, stderr]).toEqual([['Dockerfile', 'dir', 'dir/f'], expect.anything()]);
  });

  it('without an agent nobody is let in, and nobody is asked for a password', async () => {
    const { code, stderr } = await build(url);
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not let us in')]);
  });

  it('what a Dockerfile names does not get the agent by itself', async () => {
    const input = `FROM scratch\nADD ${url} /\n`;
    const env = { SSH_AUTH_SOCK: agent.socket };
    const { code, stderr } = await runCli(['build', '-f', '-', empty], { input, env });
    expect([code, stderr]).toEqual([1, expect.stringContaining('--ssh default')]);
  });

  const given: readonly (readonly [what: string, ssh: () => string, env: () => Record<string, string>])[] = [
    ['the agent', () => 'default', () => ({ SSH_AUTH_SOCK: agent.socket })],
    ['a key', () => `default=${join(home, 'sshd/user')}`, () => ({})],
  ];
  it.each(given)('but %s that it is given', async (_, ssh, env) => {
    const input = `FROM scratch\nADD ${url} /\n`;
    const output = join(home, `out-${made++}`);
    const args = ['--ssh', ssh(), '--no-cache', '-o', `type=local,dest=${output}`];
    const { code, stderr } = await runCli(['build', '-f', '-', ...args, empty], { input, env: env() });
    expect(code === 0 ? '' : stderr).toBe('');
    expect(readdirSync(output).sort()).toEqual(['Dockerfile', 'dir']);
  });
});

describe('secrets', () => {
  const token = 'c4n4ry-t0ken';
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');

  it('let a context in, and are left nowhere', async () => {
    const shown: string[] = [];
    // While git waits for an answer it is there to be looked at.
    const before = (): boolean => {
      shown.push(...commandsOfGit());
      return false;
    };
    await using closed = await GitServer.start(repositories.root, { authorization: `Basic ${basic}`, before });
    const env = { GIT_AUTH_TOKEN: token };
    const watching = watch(shown);
    const secret = ['--secret', 'id=GIT_AUTH_TOKEN', '--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1'];
    const { code, paths, stderr } = await build(closed.url('app'), env, secret);
    await watching.stop();
    expect([code, paths.includes('.git/config')]).toEqual([0, true]);
    const grep = await run('/bin/grep', ['-rlE', `${token}|${basic}`, home]);
    expect([grep.stdout, shown.filter((line) => line.includes(token) || line.includes(basic))]).toEqual(['', []]);
    expect(stderr).not.toContain(token);
    // That somebody was looked at: git is there for as long as the server lets it wait, under one of these names.
    expect(shown.filter((line) => /fetch|ls-remote|remote-http|upload-pack/.test(line))).not.toEqual([]);
  });

  it('are not given: the error says which', async () => {
    await using closed = await GitServer.start(repositories.root, { authorization: `Basic ${basic}` });
    const { code, stderr } = await build(closed.url('app'));
    expect([code, stderr]).toEqual([1, expect.stringContaining(`--secret id=GIT_AUTH_TOKEN.${closed.host}`)]);
  });

  it('let a download in', async () => {
    const asked: (string | undefined)[] = [];
    const web = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.end('x');
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const input = `FROM scratch\nADD http://127.0.0.1:${(web.address() as AddressInfo).port}/f /\n`;
    const secret = ['--secret', 'id=HTTP_AUTH_TOKEN_127.0.0.1,env=T'];
    const { code } = await runCli(['build', '-f', '-', ...secret, empty], { input, env: { T: token } });
    web.close();
    expect([code, asked]).toEqual([0, [`Bearer ${token}`]]);
  });
});

/** Collects the command lines of git while something runs. */
function watch(lines: string[]): { stop(): Promise<void> } {
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      lines.push(...commandsOfGit());
      await delay(5);
    }
  })();
  return {
    stop: () => {
      stopped = true;
      return watching;
    },
  };
}

/** Command lines that speak of git, of now. */
function commandsOfGit(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it ended meanwhile
      }
    })
    .filter((line) => line.includes('git'));
}

describe('a build that ends while git waits', () => {
  it.each(['SIGINT', 'SIGKILL'] as const)('by %s leaves no git', async (signal) => {
    await using silent = await GitServer.start(repositories.root, { before: () => true });
    const building = runCli(['build', silent.url('app')], {
      onSpawn: (child) => {
        void (async () => {
          while (silent.seen.length === 0) await delay(10);
          child.kill(signal);
        })();
      },
    });
    await building;
    const ours = () =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(silent.host);
          } catch {
            return false;
          }
        });
    for (let tries = 0; ours().length > 0 && tries < 250; tries++) await delay(20);
    expect(ours()).toEqual([]);
  });

  it('the next build clears away what it left', async () => {
    await build(empty, {}, ['-f', join(repositories.root, 'app/Dockerfile')]);
    expect(await leftovers(home)).toEqual([]);
  });
});

const noUser = whyNoOrdinaryUser();
(noUser === undefined ? it : it.skip)(
  `an ordinary user builds from a repository${noUser === undefined ? '' : ` (${noUser})`}`,
  async () => {
    await using server = await GitServer.start(repositories.root);
    const user: OrdinaryUser = await ordinaryUser();
    try {
      const own = join(home, 'user');
      await mkdir(own);
      await chown(own, user.uid, user.gid);
      await chmod(home, 0o755);
      const output = join(own, 'out');
      const { code, stderr } = await runCli(['build', '-o', `type=local,dest=${output}`, server.url('app')], {
        env: { HOME: own, SLIPWAY_ROOT: join(own, 'store') },
        user,
      });
      expect(code === 0 ? '' : stderr).toBe('');
      expect(readdirSync(output).sort()).toEqual(['Dockerfile', 'dir']);
    } finally {
      await user.remove();
    }
  },
);

(process.getuid?.() === 0 ? it : it.skip)('without git the error says so', async () => {
  const git = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  const { ownProgram } = await import('./reachable-program.ts');
  const command = `mount --bind /dev/null ${git} && exec "$@"`;
  const words = ['-m', 'sh', '-c', command, 'sh', ownProgram.node, ownProgram.launcher, 'build', 'git://127.0.0.1:1/x'];
  const env = { PATH: process.env['PATH'], HOME: home, SLIPWAY_ROOT: join(home, 'store') } as Record<string, string>;
  const { code, stderr } = await run('unshare', words, { env });
  expect([code, stderr]).toEqual([1, expect.stringContaining('git is not installed')]);
});

it('a step that fails does not wait for a repository that another one fetches', async () => {
  await using silent = await GitServer.start(repositories.root, { before: () => true });
  const input = `FROM scratch AS a\nADD ${silent.url('app')} /\nFROM scratch AS b\nCOPY nothing /\nFROM a\nCOPY --from=b / /\n`;
  const { code, stderr } = await runCli(['build', '-f', '-', empty], { input });
  expect([code, stderr]).toEqual([1, expect.stringContaining('"/nothing": not found')]);
  expect(stderr).not.toContain('nothing came for');
});
