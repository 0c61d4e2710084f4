import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { leftovers } from './leftovers.ts';
import { type OrdinaryUser, ordinaryUser, whyNoOrdinaryUser } from './ordinary-user.ts';
import { reachableProgram } from './reachable-program.ts';
import { run, runCli, type RunOptions, type RunResult, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();
const isolations = ['runc', 'sandbox'].filter((name) => name !== 'runc' || existsSync('/usr/sbin/runc'));
const netavark = ['/usr/lib/podman/netavark', '/usr/libexec/podman/netavark'].find((file) => existsSync(file));
const withNetavark = netavark === undefined ? it.skip : it;

/** Bridges of builds, alive or not. */
const bridges = (): string[] => readdirSync('/sys/class/net').filter((name) => /^slw[0-9a-f]{8}$/.test(name));
const rulesOf = (bridge: string): string[] => {
  const { stdout } = spawnSync('/usr/sbin/iptables-save', { encoding: 'utf8' });
  const subnet = Number.parseInt(bridge.slice(3), 16);
  const address = [24, 16, 8, 0].map((shift) => (subnet >>> shift) & 0xff).join('.');
  return stdout.split('\n').filter((line) => line.includes(bridge) || line.includes(`${address}/26`));
};
/** The bridge of the network in which a step had this address. */
const bridgeOf = (address: string): string => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `slw${Buffer.from([a, b, c, d & 0xc0]).toString('hex')}`;
};
const ownerOf = (pid: string): number | undefined => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
const addressIn = (output: string): string =>
  /inet (10\.98|172\.29|192\.168)(\.\d+\.\d+)\/26/.exec(output)?.slice(1).join('') ?? '';

(reason === undefined ? describe : describe.skip)(
  `what RUN may use${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let home: string;
    let context: string;
    let base: readonly string[];
    let count = 0;

    beforeAll(async () => {
      home = await testHome();
      base = await busyboxBase(join(home, 'busybox'));
      context = join(home, 'context');
      await mkdir(context);
    });

    /** Runs a script as a step that no cache knows. */
    const step = (script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> => {
      const input = `FROM busybox\nENV STEP=${count++}-${process.pid}\n${script.startsWith('RUN') ? script : `RUN ${script}`}\n`;
      return runCli(['build', '--progress', 'plain', ...base, ...args, '-f', '-', context], { input, ...options });
    };
    const output = async (...args: Parameters<typeof step>): Promise<string> => {
      const { code, stderr } = await step(...args);
      if (code !== 0) throw new Error(stderr);
      return stderr;
    };

    describe.each(isolations)('%s', (isolation) => {
      const how = ['--isolation', isolation];

      it('gives the sizes and limits that were asked for', async () => {
        const said = await output('df -k /dev/shm | awk \'END{print "shm", $2}\'; echo files $(ulimit -n)', [
          ...how,
          '--shm-size=10m',
          '--ulimit=nofile=99',
          '--memory=64m',
          '--cpus=0.5',
        ]);
        expect(said).toContain('shm 10240');
        expect(said).toContain('files 99');
      });

      it('says that a step ran out of its memory', async () => {
        const { code, stderr } = await step('exec tail /dev/zero', [...how, '--memory=20m']);
        expect(code).toBe(137);
        expect(stderr).toContain('exit code: 137: it ran out of its memory limit of 20MiB');
        expect(stderr).toContain('--memory');
      });

      it('has loopback alone with --network=none, for the build and for a step', async () => {
        const script = 'ip -o link | cut -d: -f2; ip -o addr | grep -c 127.0.0.1';
        for (const said of [
          await output(script, [...how, '--network=none']),
          await output(`RUN --network=none ${script}`, how),
          await output(`RUN --network=none ${script}`, [...how, '--network=host']),
        ]) {
          expect(said.match(/^#\d+ \d+\.\d+ .*$/gm)?.map((line) => line.replace(/^#\d+ \S+ +/, ''))).toEqual([
            'lo',
            '1',
          ]);
        }
      });

      it('has the machine’s network where that is asked for, and allowed', async () => {
        const all = Object.keys(networkInterfaces()).filter(
          (name) => name !== 'lo' && !name.startsWith('slw') && !name.startsWith('veth'),
        );
        const script = 'ls /sys/class/net';
        for (const said of [
          await output(script, [...how, '--network=host']),
          await output(`RUN --network=host ${script}`, [...how, '--network=host']),
          await output(`RUN --network=host ${script}`, [...how, '--allow', 'network.host']),
        ]) {
          expect(all.filter((name) => !said.includes(` ${name}\n`))).toEqual([]);
        }
        const { code, stderr } = await step(`RUN --network=host ${script}`, how);
        expect(code).toBe(1);
        expect(stderr).toContain('network.host is not allowed');
        expect(stderr).toContain('>>> RUN --network=host');
      });

      withNetavark('has a network of its own by default, of which nothing is left', async () => {
        const server = createServer((socket) => socket.end('hello from the machine\n'));
        await once(server.listen(0, '0.0.0.0'), 'listening');
        const { port } = server.address() as AddressInfo;
        const hiding = createServer((socket) => socket.end('must not be seen\n'));
        await once(hiding.listen(0, '127.0.0.1'), 'listening');
        const { port: hidden } = hiding.address() as AddressInfo;
        try {
          const said = await output(
            `ip -o addr show eth0; gw=$(ip route | awk '/default/{print $3}'); nc -w 5 $gw ${port} </dev/null; nc -w 1 127.0.0.1 ${hidden} </dev/null || echo shut; nc -w 1 $gw ${hidden} </dev/null || echo shut; grep machine /etc/hosts | sed "s/$gw/gateway/"`,
            [...how, '--add-host', 'machine:host-gateway'],
          );
          expect(said).toMatch(/network: private \(netavark \d/);
          expect(said).toContain('hello from the machine');
          expect(said).not.toContain('must not be seen\n#');
          expect(said.match(/\d shut$/gm)).toHaveLength(2);
          expect(said).toMatch(/gateway\s+machine/);
          const bridge = bridgeOf(addressIn(said));
          expect(bridges()).not.toContain(bridge);
          expect(rulesOf(bridge)).toEqual([]);
        } finally {
          server.close();
          hiding.close();
        }
      });

      it('resolves names as it is told to', async () => {
        const flags = ['--dns=9.9.9.9', '--dns-search=a.example', '--dns-option=rotate', '--add-host=db:10.1.2.3'];
        const said = await output('cat /etc/resolv.conf; grep 10.1.2.3 /etc/hosts', [
          ...how,
          '--network=host',
          ...flags,
        ]);
        const lines = ['nameserver 9.9.9.9', 'search a.example', 'options rotate', '10.1.2.3\tdb'];
        expect(lines.filter((line) => !said.includes(` ${line}\n`))).toEqual([]);
      });

      it('is insecure where that is asked for, and allowed', async () => {
        const script = 'RUN --security=insecure mkdir /mnt && mount -t tmpfs x /mnt && grep Seccomp: /proc/self/status';
        const { code, stderr } = await step(script, how);
        expect({ code, refused: stderr.includes('security.insecure is not allowed') }).toEqual({
          code: 1,
          refused: true,
        });
        expect(await output(script, [...how, '--allow', 'security.insecure'])).toMatch(/Seccomp:\t0/);
      });
    });

    withNetavark('builds at once have networks apart, and their steps one each', async () => {
      const stages = ['a', 'b'].map(
        (name) => `FROM busybox AS ${name}\nRUN ip -o addr show eth0; sleep 0.7; touch /${name}`,
      );
      const input = [...stages, 'FROM scratch', 'COPY --from=a /a /', 'COPY --from=b /b /', ''].join('\n');
      const twice = ['one', 'two'].map((name) =>
        runCli(['build', '--progress', 'plain', '--no-cache', ...base, '-f', '-', context], {
          input,
          env: { SLIPWAY_ROOT: join(home, `store-${name}`) },
        }),
      );
      const ends = await Promise.all(twice);
      expect(ends.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0]);
      const addresses = ends.map(({ stderr }) => [...new Set(stderr.match(/inet \d+\.\d+\.\d+\.\d+\/26/g) ?? [])]);
      expect(addresses.map((each) => each.length)).toEqual([2, 2]);
      const used = addresses.map((each) => new Set(each.map((text) => bridgeOf(addressIn(text)))));
      expect(used.map((each) => each.size)).toEqual([1, 1]);
      const all = used.flatMap((each) => [...each]);
      expect(new Set(all).size).toBe(2);
      for (const bridge of all) {
        expect(bridges()).not.toContain(bridge);
        expect(rulesOf(bridge)).toEqual([]);
      }
    });

    withNetavark('the network of a build that was killed is cleared away by the next command', async () => {
      const script = 'ip -o addr show eth0; sleep 30';
      let kill = (): void => {};
      const ending = step(script, ['--network=default'], {
        onSpawn: (child) => {
          kill = () => void child.kill('SIGKILL');
        },
      });
      // By the build's own mark: other tests' builds have bridges at the same time.
      const marks = () => globSync(join(home, 'store', 'containers', '*', '*', 'network'));
      let mine: string | undefined;
      while (mine === undefined) {
        await delay(20);
        mine = marks()
          .map((mark) => readFileSync(mark, 'latin1'))
          .find((name) => name.startsWith('slw') && rulesOf(name).length > 3);
      }
      kill();
      await ending;
      expect(bridges()).toContain(mine);
      await slipway(['images']);
      // A build of another test may have come upon it first, and still be at it: bridges go before their rules.
      for (const since = Date.now(); rulesOf(mine).length > 0 && Date.now() - since < 20_000; ) await delay(50);
      expect(bridges()).not.toContain(mine);
      expect(rulesOf(mine)).toEqual([]);
    });

    it('addresses of --add-host and limits do not count for the cache, names do', async () => {
      const input = `FROM busybox\nENV STEP=${count++}-${process.pid}\nRUN head -c 16 /dev/urandom > /random\n`;
      const build = (...args: readonly string[]): Promise<string> =>
        slipway(['build', '-q', ...base, ...args, '-f', '-', context], { input });
      const first = await build('--add-host=db:10.0.0.1');
      expect(await build('--add-host=db:10.0.0.2', '--memory=64m', '--shm-size=1m')).toBe(first);
      expect(await build('--add-host=other:10.0.0.1')).not.toBe(first);
    });

    it('wrong flags are told before anything is done', async () => {
      const { code, stderr } = await step('true', ['--ulimit=files=1']);
      expect({ code, told: stderr.includes('invalid ulimit type: files') }).toEqual({ code: 125, told: true });
    });

    it('info tells what the network of steps is', async () => {
      const { Network } = JSON.parse(await slipway(['info', '--json'])) as { readonly Network: string };
      expect(Network).toMatch(
        netavark === undefined ? /^host \(netavark is not installed\)$/ : /^private \(netavark \d/,
      );
    });

    it('leaves nothing', async () => {
      expect(await leftovers(home)).toEqual([]);
    });

    const noUser = whyNoOrdinaryUser();
    (noUser === undefined ? describe : describe.skip)(
      `as an ordinary user${noUser === undefined ? '' : ` (${noUser})`}`,
      () => {
        let user: OrdinaryUser;
        beforeAll(async () => {
          user = await ordinaryUser();
          await run('/bin/chmod', ['-R', 'a+rX', home]);
        });
        afterAll(() => user.remove());
        const asUser = (script: string, args: readonly string[]): Promise<RunResult> =>
          step(script, args, { user, env: { SLIPWAY_ROOT: `/var/tmp/slipway-test-${user.name}`, HOME: '/tmp' } });
        afterAll(() => run('/bin/rm', ['-rf', `/var/tmp/slipway-test-${user.name}`]));

        const means = ['pasta', 'slirp4netns'].filter((name) => existsSync(`/usr/bin/${name}`));
        it.each(means)('has a network of its own by %s, which ends with the build', async (name) => {
          const { node, launcher } = await reachableProgram(home);
          const dockerfile = join(context, `${name}.Dockerfile`);
          // The pasta of Debian 12 at times loses the end of a connection: what was said is what counts, nc may wait in vain.
          const server = createServer((socket) => {
            socket.write('hello from the machine\n');
            setTimeout(() => socket.end(), 300);
          });
          await once(server.listen(0, '0.0.0.0'), 'listening');
          const { port } = server.address() as AddressInfo;
          const script = `ip -o addr; grep nameserver /etc/resolv.conf; at=$(awk '/machine/{print $1}' /etc/hosts); for i in 1 2 3 4 5; do timeout 3 nc $at ${port} </dev/null | grep . && break; done`;
          await writeFile(dockerfile, `FROM busybox\nRUN ${script}\n`);
          // Who may use tunnels differs from machine to machine; in here everybody may.
          const others = means
            .filter((each) => each !== name)
            .map((each) => `mount --bind /dev/null /usr/bin/${each} && `);
          const prepare = `mount -t tmpfs t /dev/net && mknod -m 666 /dev/net/tun c 10 200 && ${others.join('')}exec "$@"`;
          const asHim = ['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
          const command = [
            node,
            launcher,
            'build',
            '--no-cache',
            '--progress',
            'plain',
            '--add-host=machine:host-gateway',
            ...base,
            '-f',
            dockerfile,
            context,
          ];
          const { code, stderr } = await run(
            '/usr/bin/unshare',
            ['--mount', 'sh', '-c', prepare, 'sh', ...asHim, ...command],
            {
              env: { PATH: process.env['PATH'], HOME: '/tmp', SLIPWAY_ROOT: `/var/tmp/slipway-test-${user.name}` },
            },
          );
          server.close();
          expect(code === 0 ? '' : stderr).toBe('');
          expect(stderr).toContain('hello from the machine');
          expect(stderr).toContain(`network: private (${name}`);
          expect(stderr).toMatch(name === 'pasta' ? /nameserver 169\.254\.1\.1/ : /10\.0\.2\.100\/24/);
          const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && ownerOf(pid) === user.uid);
          expect(
            left.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).filter((line) => line.includes(name)),
          ).toEqual([]);
        });

        it.each(isolations)('%s: ulimits and shared memory work, memory limits are refused', async (isolation) => {
          const fine = await asUser('echo files $(ulimit -n)', [
            '--isolation',
            isolation,
            '--ulimit=nofile=99',
            '--shm-size=1m',
          ]);
          expect(fine.stderr).toContain('files 99');
          expect(fine.stderr).toMatch(/network: (private \((pasta|slirp4netns) |host \()/);
          const { code, stderr } = await asUser('true', ['--isolation', isolation, '--memory=64m']);
          expect(code).not.toBe(0);
          expect(stderr).toContain('an ordinary user has no cgroup to limit it by');
        });
      },
    );
  },
);
