import { afterAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeLimitCgroup, unifiedValues } from '../../src/container/limit-cgroup.ts';
import { runtimeResources, runtimeRlimits, serializeSpec, shmSizeOption } from '../../src/container/runc/resources.ts';
import { ociProfile, parseSeccompProfile } from '../../src/container/seccomp/profile.ts';

const scratch = mkdtempSync(join(tmpdir(), 'slipway-limits-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let count = 0;
/** Stands for a cgroup file system: what the kernel would have in it beforehand. */
function hierarchy(files: Readonly<Record<string, string>>): string {
  const root = join(scratch, String(count++));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}
const unified = hierarchy({ 'cgroup.controllers': 'cpuset cpu memory' });
const split = hierarchy({ 'memory/memory.memsw.limit_in_bytes': '' });
const noSwap = hierarchy({ 'memory/cgroup.procs': '' });
const Mi = 1 << 20;

describe('linux.resources', () => {
  test.each([
    ['nothing', {}, split, {}],
    ['memory: swap is as much again', { memory: 64 * Mi }, split, { memory: { limit: 64 * Mi, swap: 128 * Mi } }],
    ['memory where swap is not counted', { memory: 64 * Mi }, noSwap, { memory: { limit: 64 * Mi } }],
    ['no limit of swap', { memory: 64 * Mi, memorySwap: -1 }, unified, { memory: { limit: 64 * Mi, swap: -1 } }],
    [
      'CPU',
      { cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, cpusetCpus: '0-1', cpusetMems: '0' },
      split,
      { cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0-1', mems: '0' } },
    ],
  ])('%s', (_, limits, root, expected) => {
    expect(runtimeResources(limits, root)).toEqual(expected);
  });

  test('rlimits have the kernel’s names, and "none" is its number', () => {
    const rlimits = runtimeRlimits([
      { name: 'nofile', soft: 10, hard: 20 },
      { name: 'core', soft: 0, hard: -1 },
    ]);
    expect(serializeSpec({ rlimits, args: ['"soft":-1,'] })).toBe(
      '{"rlimits":[{"type":"RLIMIT_NOFILE","soft":10,"hard":20},' +
        '{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}],"args":["\\"soft\\":-1,"]}',
    );
  });

  test.each([
    [undefined, 'size=65536k'],
    [Mi, 'size=1024k'],
    [1000, 'size=1000'],
  ])('shared memory of %s', (shmSize, expected) => {
    expect(shmSizeOption(shmSize === undefined ? undefined : { shmSize })).toBe(expected);
  });
});

describe('cgroups of one’s own', () => {
  test.each([
    [{ memory: 64 * Mi }, ['memory.max=67108864', 'memory.swap.max=67108864']],
    [{ memory: 64 * Mi, memorySwap: 64 * Mi }, ['memory.max=67108864', 'memory.swap.max=0']],
    [{ memory: 64 * Mi, memorySwap: -1 }, ['memory.max=67108864', 'memory.swap.max=max']],
    [{ cpuShares: 2 }, ['cpu.weight=1']],
    [{ cpuShares: 1024 }, ['cpu.weight=39']],
    [{ cpuShares: 262144 }, ['cpu.weight=10000']],
    [{ cpuQuota: 5000 }, ['cpu.max=5000 100000']],
    [{ cpuPeriod: 5000 }, ['cpu.max=max 5000']],
    [{ cpusetCpus: '0', cpusetMems: '1' }, ['cpuset.cpus=0', 'cpuset.mems=1']],
  ])('v2: %j', (limits, expected) => {
    expect(unifiedValues(limits, unified).map(([name, value]) => `${name}=${value}`)).toEqual(expected);
  });

  test('v2: below a folder of ours, to which the controllers are handed on', () => {
    const root = hierarchy({ 'cgroup.controllers': 'cpu memory' });
    const { entrances } = makeLimitCgroup('step-1', { memory: 64 * Mi, cpuQuota: 1000 }, { root, own: '0::/user\n' });
    expect(entrances).toEqual([join(root, 'slipway/step-1/cgroup.procs')]);
    expect(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +cpu');
    expect(readFileSync(join(root, 'slipway/cgroup.subtree_control'), 'utf8')).toBe('+memory +cpu');
    expect(readFileSync(join(root, 'slipway/step-1/memory.max'), 'utf8')).toBe('67108864');
  });

  test('v1: in each hierarchy below our own cgroup, where that is to be seen', () => {
    const root = hierarchy({
      'memory/mine/cgroup.procs': '',
      'cpuset/cpuset.cpus': '0-3\n',
      'cpuset/cpuset.mems': '0\n',
    });
    const own = '3:cpuset:/elsewhere\n4:memory:/mine\n';
    const { entrances } = makeLimitCgroup('step-1', { memory: 64 * Mi, cpusetCpus: '1' }, { root, own });
    expect(entrances).toEqual([
      join(root, 'memory/mine/step-1/cgroup.procs'),
      join(root, 'cpuset/step-1/cgroup.procs'),
    ]);
    expect(readFileSync(join(root, 'memory/mine/step-1/memory.limit_in_bytes'), 'utf8')).toBe('67108864');
    expect(readFileSync(join(root, 'cpuset/step-1/cpuset.cpus'), 'utf8')).toBe('1');
    expect(readFileSync(join(root, 'cpuset/step-1/cpuset.mems'), 'utf8')).toBe('0');
  });

  test('v1: below a given parent, which gets the CPUs that are there', () => {
    const root = hierarchy({
      'cpuset/cpuset.cpus': '0-3\n',
      'cpuset/cpuset.mems': '0\n',
      'cpuset/p/cpuset.cpus': '',
      'cpuset/p/cpuset.mems': '',
    });
    makeLimitCgroup('step-1', { cpusetMems: '0', cgroupParent: '/p' }, { root, own: '' });
    expect(readFileSync(join(root, 'cpuset/p/cpuset.cpus'), 'utf8')).toBe('0-3');
    expect(readFileSync(join(root, 'cpuset/p/step-1/cpuset.cpus'), 'utf8')).toBe('0-3');
  });
});

describe('a seccomp profile of docker’s form', () => {
  const profile = (rule: object) => {
    const whole = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      syscalls: [{ names: ['a'], action: 'SCMP_ACT_ALLOW', ...rule }],
    };
    return parseSeccompProfile(JSON.stringify(whole));
  };
  test.each<[string, object, number]>([
    ['always', {}, 1],
    ['with a capability that the step has', { includes: { caps: ['CAP_MKNOD'] } }, 1],
    ['with one that it lacks', { includes: { caps: ['CAP_SYS_ADMIN'] } }, 0],
    ['without one that it has', { excludes: { caps: ['CAP_MKNOD'] } }, 0],
    ['on another machine', { includes: { arches: ['mips'] } }, 0],
    ['not on another machine', { excludes: { arches: ['mips'] } }, 1],
    ['from an old kernel on', { includes: { minKernel: '4.8' } }, 1],
    ['from a kernel to come', { includes: { minKernel: '99.0' } }, 0],
  ])('a rule that counts %s', (_, rule, expected) => {
    expect(ociProfile(profile(rule), ['CAP_MKNOD']).syscalls).toHaveLength(expected);
  });

  test('keeps arguments and error numbers, and takes the old form of a name', () => {
    const rule = {
      names: undefined,
      name: 'clone',
      errnoRet: 38,
      args: [{ index: 0, value: 2, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    };
    expect(ociProfile(profile(rule), [])).toEqual({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      syscalls: [{ names: ['clone'], action: 'SCMP_ACT_ALLOW', errnoRet: 38, args: rule.args }],
    });
  });

  test.each([
    '[]',
    '{',
    '{}',
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":{}}',
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":1}]}',
  ])('%s is refused', (text) => {
    expect(() => parseSeccompProfile(text)).toThrow('seccomp profile');
  });
});
