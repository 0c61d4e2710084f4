import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Confinement, defaultSecurity, type Isolation } from '../../src/container/index.ts';
import { isUnified } from '../../src/container/limits.ts';
import { whyNot, Workshop } from './workshop.ts';

const cgroups = '/sys/fs/cgroup';
const testParent = `slipway-test-${process.pid}`;
const isolations: readonly Isolation[] = ['runc', 'sandbox'];
const workshop = isolations.some((isolation) => whyNot(isolation) === undefined) ? new Workshop() : undefined;
afterAll(async () => {
  await workshop?.close();
  // Whoever names a parent keeps it.
  for (const folder of ['', ...readdirSync(cgroups)].map((each) => join(cgroups, each, testParent))) {
    if (existsSync(folder)) rmdirSync(folder);
  }
});

const hasCgroups = existsSync(join(cgroups, 'memory/cgroup.procs')) || isUnified();

/** Values of the step's own cgroup, read from outside while it runs: it does not see its cgroups. */
function readOfCgroup(id: string, names: readonly string[]): Readonly<Record<string, string>> {
  // find(1): other cgroups come and go meanwhile.
  const { stdout } = spawnSync('find', [cgroups, '-name', id, '-type', 'd'], { encoding: 'utf8' });
  const found = stdout.split('\n').filter((path) => path !== '');
  const files = found.flatMap((folder) => names.map((name) => join(folder, name)));
  return Object.fromEntries(
    files
      .filter((file) => existsSync(file))
      .map((file) => [file.slice(file.lastIndexOf('/') + 1), readFileSync(file, 'utf8').trim()]),
  );
}

describe.each(isolations)('%s', (isolation) => {
  const reason = whyNot(isolation) ?? (hasCgroups ? undefined : 'needs cgroups');
  const test = reason === undefined ? it : it.skip;
  const sh = (script: string, confinement: Confinement, request: Partial<Parameters<Workshop['run']>[0]> = {}) => {
    if (workshop === undefined) throw new Error('no workshop');
    return workshop.run({ isolation, args: ['sh', '-c', script], ...request, spec: { confinement, ...request.spec } });
  };
  const secure = (given: Partial<typeof defaultSecurity>): Confinement => ({
    security: { ...defaultSecurity, ...given },
  });

  test('shared memory has the size that was given', async () => {
    const { stdout } = await sh("df -k /dev/shm | tail -n 1 | awk '{print $2}'", { limits: { shmSize: 10 << 20 } });
    expect(stdout).toBe('10240\n');
  });

  test('ulimits are those that were given', async () => {
    const ulimits = [
      { name: 'nofile', soft: 100, hard: 200 },
      { name: 'core', soft: 0, hard: 0 },
    ] as const;
    const { stdout } = await sh('ulimit -Sn; ulimit -Hn; ulimit -c', { limits: { ulimits } });
    expect(stdout).toBe('100\n200\n0\n');
  });

  test('a ulimit above our own is refused, and says why', async () => {
    const ulimits = [{ name: 'nofile', soft: 1, hard: 1_000_000_000_000 }] as const;
    const mayRaise = /^CapEff:\s*.*/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[0] ?? '';
    if ((BigInt(`0x${mayRaise.split(/\s+/)[1] ?? '0'}`) >> 24n) % 2n === 1n) return; // CAP_SYS_RESOURCE
    const { error, message } = await sh('true', { limits: { ulimits } });
    expect(error).toBe('LIMIT_UNAVAILABLE');
    expect(message).toContain('it lacks CAP_SYS_RESOURCE');
  });

  test('going beyond the memory limit ends the step, which is told', async () => {
    const { code, outOfMemory } = await sh('exec tail /dev/zero', { limits: { memory: 20 << 20 } });
    expect({ code, outOfMemory }).toEqual({ code: 137, outOfMemory: true });
  });

  test('a step that fails within its limits did not run out of them', async () => {
    const { code, outOfMemory } = await sh('exit 3', { limits: { memory: 20 << 20 } });
    expect({ code, outOfMemory }).toEqual({ code: 3, outOfMemory: undefined });
  });

  test('memory and CPU are limited in a cgroup, which goes with the step', async () => {
    let seen: Readonly<Record<string, string>> = {};
    const id = `limited-${process.pid}-${isolation}`;
    const limits = { memory: 64 << 20, cpuQuota: 50_000, cpuPeriod: 100_000, cpuShares: 512, cpusetCpus: '0' };
    const names = isUnified()
      ? ['memory.max', 'cpu.max', 'cpuset.cpus']
      : ['memory.limit_in_bytes', 'cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.shares', 'cpuset.cpus'];
    await sh(
      'echo up; exec sleep 30',
      { limits },
      {
        spec: { id },
        onFirstOutput: (abort) => {
          seen = readOfCgroup(id, names);
          abort();
        },
      },
    );
    const expected = isUnified()
      ? { 'memory.max': '67108864', 'cpu.max': '50000 100000', 'cpuset.cpus': '0' }
      : {
          'memory.limit_in_bytes': '67108864',
          'cpu.cfs_quota_us': '50000',
          'cpu.cfs_period_us': '100000',
          'cpu.shares': '512',
          'cpuset.cpus': '0',
        };
    expect(seen).toMatchObject(expected);
    expect(readOfCgroup(id, ['cgroup.procs'])).toEqual({});
  });

  test('its cgroup lies below the one that was named', async () => {
    const { stdout } = await sh('cat /proc/self/cgroup', {
      limits: { memory: 64 << 20, cgroupParent: testParent },
    });
    expect(stdout).toContain(`/${testParent}/`);
  });

  test('an insecure step has all our capabilities and no policy, but namespaces of its own', async () => {
    const { stdout } = await sh(
      'grep -E "^(CapEff|CapBnd|Seccomp:)" /proc/self/status; hostname; ls /sys/class/net; mount -t tmpfs x /tmp && echo mounted; ' +
        'test -s /proc/keys && echo keys; mknod /m c 1 5 && head -c 1 /m | wc -c; echo $$; touch /sys/x 2>&1 | grep -c Read-only',
      secure({ insecure: true }),
    );
    const own = /^CapPrm:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    expect(stdout.replace(/\t/g, ' ')).toMatch(
      new RegExp(`^CapEff: ${own}\nCapBnd: ${own}\nSeccomp: 0\nbuildkitsandbox\nlo\nmounted\n(keys\n)?1\n1\n0\n$`),
    );
  });

  test('seccomp=unconfined loads no policy, and leaves the capabilities as they are', async () => {
    const { stdout } = await sh('grep -E "^(CapEff|Seccomp:)" /proc/self/status', secure({ seccomp: 'unconfined' }));
    expect(stdout.replace(/\t/g, ' ')).toBe('CapEff: 00000000a80425fb\nSeccomp: 0\n');
  });

  test('no-new-privileges is set', async () => {
    const { stdout } = await sh('grep NoNewPrivs /proc/self/status', secure({ noNewPrivileges: true }));
    expect(stdout).toBe('NoNewPrivs:\t1\n');
  });

  test('systempaths=unconfined masks nothing', async () => {
    const { stdout } = await sh('grep -c " /proc/" /proc/self/mounts; echo', secure({ unmasked: true }));
    expect(stdout).toBe('0\n\n');
  });

  test('a policy of one’s own is obeyed, or refused where it cannot be', async () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        {
          names: ['mkdir', 'mkdirat'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 28,
          args: [],
          includes: { caps: [], arches: [] },
          excludes: { caps: [], arches: [] },
        },
      ],
    };
    const { stderr, error } = await sh('mkdir /tmp/x', secure({ seccomp: profile }));
    if (isolation === 'runc') expect(stderr).toContain('No space left on device');
    else expect(error).toBe('SECURITY_UNAVAILABLE');
  });

  test('names that were added are looked up, also where there is no network', async () => {
    const names = { hosts: [{ name: 'db', address: '10.1.2.3' }], servers: [], search: [], options: [] };
    const { stdout, layer } = await sh('grep 10.1.2.3 /etc/hosts', { names });
    expect(stdout).toBe('10.1.2.3\tdb\n');
    expect(layer).toEqual([]);
  });
});
