import { afterAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ContainerSpec, type Isolation, reapContainer } from '../../src/container/index.ts';
import { whyNot, Workshop } from './workshop.ts';

const isolations: readonly Isolation[] = ['runc', 'sandbox'];
const workshop = isolations.some((isolation) => whyNot(isolation) === undefined) ? new Workshop() : undefined;
afterAll(() => workshop?.close());

describe.each(isolations)('%s', (isolation) => {
  const reason = whyNot(isolation);
  const test =
    reason === undefined
      ? it
      : (name: string, _: () => Promise<void>): void => it.skip(`${name} (${reason})`, () => {});

  type Request = Omit<Parameters<Workshop['run']>[0], 'isolation' | 'args'>;
  const run = (args: readonly string[], request: Request = {}): ReturnType<Workshop['run']> => {
    if (workshop === undefined) throw new Error('no workshop');
    return workshop.run({ isolation, args, ...request });
  };
  const sh = (script: string, request: Request = {}): ReturnType<Workshop['run']> => run(['sh', '-c', script], request);

  test('keeps output apart and the exit code', async () => {
    const { code, signal, stdout, stderr, mountsLeft } = await sh('echo out; echo err >&2; exit 42');
    expect({ code, signal, stdout, stderr, mountsLeft }).toEqual({
      code: 42,
      signal: undefined,
      stdout: 'out\n',
      stderr: 'err\n',
      mountsLeft: 0,
    });
  });

  test('tells a signal as 128 and its number', async () => {
    const marker = `sleep\u000048${isolation.length}1`;
    const { code, signal } = await sh(`echo up; exec sleep 48${isolation.length}1`, {
      onFirstOutput: () => void killNamed(marker),
    });
    expect(code).toBe(137);
    if (isolation === 'sandbox') expect(signal).toBe('SIGKILL'); // runc tells the number only
  });

  test('has docker’s capabilities and a system call filter', async () => {
    const { stdout } = await sh('grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status');
    expect(stdout.replace(/\t/g, ' ')).toBe(
      'CapInh: 0000000000000000\nCapPrm: 00000000a80425fb\nCapEff: 00000000a80425fb\n' +
        'CapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\nNoNewPrivs: 0\nSeccomp: 2\n',
    );
  });

  test('leaves other users no capabilities', async () => {
    const { stdout } = await sh('id -u; id -g; id -G; grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status; echo $HOME', {
      spec: { user: 'app' },
    });
    expect(stdout.replace(/\t/g, ' ')).toBe(
      '1000\n1001\n1001 44\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\nCapBnd: 00000000a80425fb\n/home/app\n',
    );
  });

  test('refuses what the policy refuses', async () => {
    const { stdout } = await sh(
      'unshare -U true || echo unshare; mount -t tmpfs x /tmp || echo mount; mkdir /tmp/d && echo mkdir',
    );
    expect(stdout).toBe('unshare\nmount\nmkdir\n');
  });

  test('has no devices but those of /dev', async () => {
    const script =
      'mknod /tmp/disk b 254 0; dd if=/tmp/disk count=1; echo $?; mknod /dev/m c 1 1; cat /dev/m; echo $?; echo x >/dev/null && echo ok';
    expect((await sh(script)).stdout).toBe('1\n1\nok\n');
  });

  test('hides and protects the kernel’s files', async () => {
    const { stdout } = await sh(
      'cat /proc/keys /proc/timer_list | wc -c; ls /sys/firmware | wc -l; echo 1 2>/dev/null >/proc/sys/kernel/panic || echo no; mkdir /sys/x 2>/dev/null || echo no',
    );
    expect(stdout).toBe('0\n0\nno\nno\n');
  });

  test('sees its own processes, host name and network alone', async () => {
    const { stdout } = await sh(
      'echo $$; hostname; ls /sys/class/net; cat /etc/resolv.conf; ip -o addr | grep -c inet',
    );
    expect(stdout).toMatch(/^1\nbuildkitsandbox\nlo\n[12]\n$/);
  });

  test('shares the machine’s network and resolver where asked', async () => {
    const { stdout } = await sh('ls /sys/class/net; cat /etc/resolv.conf', { spec: { network: 'host' } });
    const machine = readdirSync('/sys/class/net').sort().join('\n');
    expect(stdout).toBe(`${machine}\n${readFileSync('/etc/resolv.conf', 'utf8')}`);
  });

  test('has the usual /dev, a terminal maker and shared memory', async () => {
    const { stdout } = await sh(
      'for f in null zero full random urandom tty; do test -c /dev/$f || echo $f; done; readlink /dev/fd; readlink /dev/ptmx; stat -c %a /dev/null /dev/shm /dev/pts/ptmx; echo x >/dev/shm/x && umask',
    );
    expect(stdout).toBe('/proc/self/fd\npts/ptmx\n666\n1777\n666\n0022\n');
  });

  test('passes no open file but the three', async () => {
    expect((await sh('ls -l /proc/self/fd | grep -v "/proc/.*/fd$" | grep -c "\\->"')).stdout).toBe('3\n');
  });

  for (const user of ['root', 'app']) {
    test(`can open its own output again as ${user}`, async () => {
      const { stdout, stderr } = await sh('echo out >/dev/stdout; echo err >/dev/stderr', { spec: { user } });
      expect({ stdout, stderr }).toEqual({ stdout: 'out\n', stderr: 'err\n' });
    });
  }

  test('hands on much output, whole and in order', async () => {
    const { stdout } = await sh('seq 1 200000');
    expect(stdout.length).toBe(1288895);
    expect(stdout.endsWith('\n199999\n200000\n')).toBe(true);
  });

  test('reads nothing from standard input', async () => {
    expect((await sh('cat; echo end')).stdout).toBe('end\n');
  });

  test('gives the environment of the step alone', async () => {
    const { stdout } = await run(['/bin/env'], { spec: { env: ['A=1', 'PATH=/bin'] } });
    expect(stdout.trim().split('\n').sort()).toEqual(['A=1', 'HOME=/root', 'PATH=/bin']);
  });

  test('makes and enters the working directory', async () => {
    const { stdout, layer } = await sh('pwd; touch here', { spec: { cwd: '/work/deep' } });
    expect(stdout).toBe('/work/deep\n');
    expect(layer).toEqual(['work', 'work/deep', 'work/deep/here']);
  });

  const failures: readonly (readonly [string, string, number, RegExp])[] = [
    ['a missing command', 'nosuch', 127, /"nosuch": executable file not found in \$PATH/],
    ['a missing file', '/bin/nosuch', 127, /"\/bin\/nosuch": .*no such file or directory/],
    ['a file that is not executable', '/etc/script', 126, /permission denied/],
    ['a folder', '/etc', 126, /permission denied|is a directory/],
  ];
  for (const [name, command, expected, message] of failures) {
    test(`${name} is ${expected}`, async () => {
      const { code, stderr, mountsLeft, layer } = await run([command]);
      expect({ code, mountsLeft, layer }).toEqual({ code: expected, mountsLeft: 0, layer: [] });
      expect(stderr).toMatch(message);
    });
  }

  test('leaves none of its own files in the layer', async () => {
    const { layer } = await sh('cat /etc/hosts /etc/resolv.conf >/dev/null; echo >/tmp/mine', {
      prepare: (upper) => {
        mkdirSync(join(upper, 'cfg'));
        symlinkSync('../run/resolve/stub.conf', join(upper, 'cfg/link'));
      },
    });
    expect(layer).toEqual(['cfg', 'cfg/link', 'tmp', 'tmp/mine']);
  });

  test('mounts resolv.conf where a link leads, and leaves that place as it was', async () => {
    const { stdout, layer } = await sh('cat /etc/resolv.conf | wc -c; cat /etc/hosts | wc -l', {
      prepare: (upper) => {
        mkdirSync(join(upper, 'etc'));
        symlinkSync('../run/resolve/stub.conf', join(upper, 'etc/resolv.conf'));
      },
    });
    expect(stdout).toBe('0\n2\n');
    expect(layer).toEqual(['etc/resolv.conf']);
  });

  test('keeps what a step put in the place of a mount point’s folder', async () => {
    const { layer } = await sh('mkdir -p /a/other; touch /a/other/file', {
      spec: { mounts: [{ kind: 'tmpfs', target: '/a/b/c' }] },
    });
    expect(layer).toEqual(['a', 'a/other', 'a/other/file']);
  });

  test('mounts folders and files, writable or not, and memory', async () => {
    const shared = join(workshop?.scratch ?? '', `shared-${isolation}`);
    mkdirSync(shared, { recursive: true });
    writeFileSync(join(shared, 'file'), 'content\n');
    const { stdout, layer } = await sh(
      'cat /m/ro/file /m/one; echo x 2>/dev/null >/m/ro/new || echo no; echo y >/m/rw/new; touch /m/t/x; df -k /m/t | tail -1 | tr -s " " | cut -d" " -f2; ls /dev/secret',
      {
        spec: {
          mounts: [
            { kind: 'bind', source: shared, target: '/m/ro', readOnly: true },
            { kind: 'bind', source: shared, target: '/m/rw', readOnly: false },
            { kind: 'bind', source: join(shared, 'file'), target: '/m/one', readOnly: true },
            { kind: 'bind', source: join(shared, 'file'), target: '/dev/secret', readOnly: true },
            { kind: 'tmpfs', target: '/m/t', size: 1024 * 1024, mode: 0o755 },
          ],
        },
      },
    );
    expect(stdout).toBe('content\ncontent\nno\n1024\n/dev/secret\n');
    expect(readFileSync(join(shared, 'new'), 'utf8')).toBe('y\n');
    expect(layer).toEqual([]);
  });

  test('puts memory of the step in the place of /dev/shm', async () => {
    const { stdout } = await sh('mount | grep -c " /dev/shm "; df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2', {
      spec: { mounts: [{ kind: 'tmpfs', target: '/dev/shm', size: 1 << 20 }] },
    });
    expect(stdout).toBe('1\n1024\n');
  });

  test('mounts inside of mounts, outermost first, whatever their order', async () => {
    const cache = join(workshop?.scratch ?? '', `nested-${isolation}`);
    mkdirSync(join(cache, 'old'), { recursive: true });
    const { stdout, layer, mountsLeft } = await sh(
      'echo 1 >/foo/bar/baz/one; echo 2 >/foo/bar/two; echo 3 >/foo/three; find /foo -type f | sort; mount | grep -c "on /foo"',
      {
        spec: {
          mounts: [
            { kind: 'tmpfs', target: '/foo/bar/baz' },
            { kind: 'bind', source: cache, target: '/foo/bar', readOnly: false },
            { kind: 'tmpfs', target: '/foo' },
          ],
        },
      },
    );
    expect(stdout).toBe('/foo/bar/baz/one\n/foo/bar/two\n/foo/three\n3\n');
    expect({ layer, mountsLeft }).toEqual({ layer: [], mountsLeft: 0 });
    // The place stays: another step may be using it in the same cache.
    expect(readdirSync(cache).sort()).toEqual(['baz', 'old', 'two']);
  });

  test('cannot make a place for a mount in what is read-only', async () => {
    const outer = join(workshop?.scratch ?? '', `outer-${isolation}`);
    mkdirSync(outer, { recursive: true });
    const { error, message, mountsLeft, layer } = await run(['true'], {
      spec: {
        mounts: [
          { kind: 'bind', source: outer, target: '/ro', readOnly: true },
          { kind: 'tmpfs', target: '/ro/inner' },
        ],
      },
    });
    expect({ error, mountsLeft, layer }).toEqual({ error: 'SPEC_INVALID', mountsLeft: 0, layer: [] });
    expect(message).toMatch(/cannot mount on \/ro\/inner: .*read-only/);
  });

  test('gives secret variables, which are in no file', async () => {
    const { stdout, bundle } = await sh('echo $TOKEN; tr "\\0" "\\n" </proc/1/environ | grep -c hunter', {
      spec: { secretEnv: ['TOKEN=hunter2-in-env'], user: 'app' },
    });
    expect(stdout).toBe('hunter2-in-env\n1\n');
    expect(spawnSync('grep', ['-r', 'hunter2-in-env', bundle], { encoding: 'utf8' }).stdout).toBe('');
    expect(readdirSync(bundle)).not.toContain('launch');
  });

  test('stops all processes when it is aborted', async () => {
    const { error, mountsLeft, bundle } = await sh(
      'trap "" TERM INT; (sleep 4711 & sleep 4712) & echo up; sleep 4713',
      {
        onFirstOutput: (abort) => abort(),
      },
    );
    expect({ error, mountsLeft }).toEqual({ error: 'ABORTED', mountsLeft: 0 });
    expect(processesNamed('sleep\u0000471')).toEqual([]);
    if (isolation === 'runc') expect(readdirSync(join(bundle, 'state'))).toEqual([]);
  });

  test('can be aborted while it writes without end', async () => {
    const { error } = await run(['yes'], { onFirstOutput: (abort) => abort() });
    expect(error).toBe('ABORTED');
  });

  test('stops what a step left behind when its first process ends', async () => {
    expect((await sh('sleep 4721 & echo end')).code).toBe(0);
    expect(processesNamed('sleep\u00004721')).toEqual([]);
  });

  test('leaves nothing when the build is killed, once its leftovers are reaped', async () => {
    const marker = `sleep\u000049${isolation.length}1`;
    const { bundle, id } = await killedBuild(isolation, `49${isolation.length}1`);
    await reapContainer(bundle, id);
    await expectGone(marker);
    if (isolation === 'runc') {
      expect(readdirSync(join(bundle, 'state'))).toEqual([]);
      expect(globSync(`/sys/fs/cgroup/**/${id}`)).toEqual([]);
    }
  });

  test('works over 127 layers', async () => {
    const lowers = Array.from({ length: 126 }, (_, index) => `a-layer-with-quite-a-long-name-${isolation}-${index}`);
    for (const [index, lower] of lowers.entries()) {
      mkdirSync(join(workshop?.scratch ?? '', lower, 'layers'), { recursive: true });
      writeFileSync(join(workshop?.scratch ?? '', lower, 'layers', String(index)), '');
    }
    const { stdout, mountsLeft } = await sh('ls /layers | wc -l', { lowers: [...lowers, 'base'] });
    expect({ stdout, mountsLeft }).toEqual({ stdout: '126\n', mountsLeft: 0 });
  });

  describe('a hostile root', () => {
    const outside = join(workshop?.scratch ?? '', `outside-${isolation}`);
    if (workshop !== undefined) mkdirSync(outside, { recursive: true });
    const untouched = (): void => expect(readdirSync(outside)).toEqual([]);

    for (const name of ['dev', 'proc', 'sys']) {
      test(`is refused for a link /${name} (CVE-2026-41579)`, async () => {
        const { error } = await run(['true'], { prepare: (upper) => symlinkSync(outside, join(upper, name)) });
        expect(error).toBe('ROOT_UNSAFE');
        untouched();
      });
    }

    test('cannot lead a mount point out by a link', async () => {
      const { error, code } = await run(['true'], {
        prepare: (upper) => symlinkSync(outside, join(upper, 'out')),
        spec: { mounts: [{ kind: 'tmpfs', target: '/out/there' }] },
      });
      expect({ error, code }).toEqual({ error: undefined, code: 0 });
      untouched();
    });

    test('cannot lead the cleaning out by a link (CVE-2024-23652)', async () => {
      mkdirSync(join(outside, 'b'));
      const { code } = await sh(`mv /a /c; ln -s ${outside} /a`, {
        spec: {
          mounts: [
            { kind: 'tmpfs', target: '/a/x/b' },
            { kind: 'tmpfs', target: '/a/b' },
          ],
        },
      });
      expect(existsSync(join(outside, 'b'))).toBe(true);
      execFileSync('rmdir', [join(outside, 'b')]);
      expect(code).toBeDefined();
    });

    test('cannot lead a mount out by links that are swapped meanwhile (CVE-2024-23651)', async () => {
      const shared = join(workshop?.scratch ?? '', `swapped-${isolation}`);
      mkdirSync(shared);
      const swap =
        'cd "$0"; while :; do mkdir x 2>/dev/null; rmdir x/* x 2>/dev/null; ln -s "$1" x 2>/dev/null; rm -f x; done';
      const swapper = spawn('sh', ['-c', swap, shared, outside], { stdio: 'ignore' });
      try {
        for (let round = 0; round < 15; round++) {
          const { mountsLeft } = await run(['touch', '/m/x/y/z'], {
            spec: {
              mounts: [
                { kind: 'bind', source: shared, target: '/m', readOnly: false },
                { kind: 'tmpfs', target: '/m/x/y' },
              ],
            },
          });
          expect(mountsLeft).toBe(0);
        }
      } finally {
        swapper.kill('SIGKILL');
        await once(swapper, 'close');
      }
      untouched();
    });

    test('cannot lead a mount out by a link in a mount', async () => {
      const shared = join(workshop?.scratch ?? '', `linked-${isolation}`);
      mkdirSync(shared);
      symlinkSync(outside, join(shared, 'out'));
      symlinkSync(`../../../../../../../..${outside}`, join(shared, 'up'));
      const { error, code, mountsLeft } = await sh('touch /m/out/x /m/up/y', {
        spec: {
          mounts: [
            { kind: 'bind', source: shared, target: '/m', readOnly: false },
            { kind: 'tmpfs', target: '/m/out/a' },
            { kind: 'tmpfs', target: '/m/up/b' },
          ],
        },
      });
      expect({ error, code, mountsLeft }).toEqual({ error: undefined, code: 0, mountsLeft: 0 });
      expect(readdirSync(shared).sort()).toEqual(['out', 'up']);
      untouched();
    });

    for (const cwd of ['/proc/self/fd/7', '/proc/1/cwd', '/x/../proc/self/task/1/fd', '/dev/fd/3', '/leak']) {
      test(`has no working directory ${cwd} (CVE-2024-21626)`, async () => {
        const { error } = await run(['true'], {
          spec: { cwd },
          prepare: (upper) => symlinkSync('/proc/self/fd/8', join(upper, 'leak')),
        });
        expect(error).toBe('SPEC_INVALID');
      });
    }

    test('cannot be mounted over by the build where a container needs it', async () => {
      const { error } = await run(['true'], { spec: { mounts: [{ kind: 'tmpfs', target: '/proc/self' }] } });
      expect(error).toBe('SPEC_INVALID');
    });
  });

  test('looks for users in the root alone', async () => {
    const { error, message, mountsLeft } = await run(['true'], { spec: { user: 'nosuch' } });
    expect({ error, mountsLeft }).toEqual({ error: 'USER_NOT_FOUND', mountsLeft: 0 });
    expect(message).toBe('unable to find user nosuch: no matching entries in passwd file');
  });
});

/** Starts a container as an ordinary user inside (who has lost the parent-death signal) and kills its build. */
async function killedBuild(
  isolation: Isolation,
  seconds: string,
): Promise<{ readonly bundle: string; readonly id: string }> {
  const scratch = join(workshop?.scratch ?? '', `killed-${isolation}`);
  const bundle = join(scratch, 'bundle');
  const id = `killed-${process.pid}-${isolation}`;
  for (const name of ['upper', 'work', 'bundle']) mkdirSync(join(scratch, name), { recursive: true });
  const spec: ContainerSpec = {
    id,
    bundle,
    root: {
      kind: 'overlay',
      cwd: scratch,
      lowers: ['../base'],
      upper: 'upper',
      work: 'work',
      volatile: true,
      userXattr: false,
    },
    args: ['sh', '-c', `echo up; exec sleep ${seconds}`],
    env: [],
    cwd: '/',
    user: 'app',
    network: 'none',
    hostname: 'h',
    mounts: [],
  };
  const program = fileURLToPath(new URL('./build-to-kill.ts', import.meta.url));
  const build = spawn(process.execPath, [program, isolation, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(build.stdout, 'data');
  // The shell has spoken; wait until it has become the sleep that is looked for.
  while (processesNamed(`sleep\u0000${seconds}`).length === 0) await setTimeout(5);
  build.kill('SIGKILL');
  await once(build, 'exit');
  return { bundle, id };
}

/** A killed process is gone a moment later only. */
async function expectGone(marker: string): Promise<void> {
  for (let tries = 0; tries < 500 && processesNamed(marker).length > 0; tries++) await setTimeout(10);
  expect(processesNamed(marker)).toEqual([]);
}

/** Kills a process as soon as it is there. */
async function killNamed(text: string): Promise<void> {
  for (;;) {
    const [pid] = processesNamed(text);
    if (pid !== undefined) return void process.kill(Number(pid), 'SIGKILL');
    await setTimeout(5);
  }
}

/** Processes of the machine whose command line contains a text. */
function processesNamed(text: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(text);
    } catch {
      return false;
    }
  });
}
