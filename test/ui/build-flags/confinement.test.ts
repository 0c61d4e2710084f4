import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfinementValues, confinementOf } from '../../../src/ui/build-flags/confinement.ts';

const none: ConfinementValues = {
  network: 'default',
  allow: undefined,
  'add-host': undefined,
  dns: undefined,
  'dns-search': undefined,
  'dns-option': undefined,
  memory: undefined,
  'memory-swap': undefined,
  cpus: undefined,
  'cpu-shares': undefined,
  'cpu-period': undefined,
  'cpu-quota': undefined,
  'cpuset-cpus': undefined,
  'cpuset-mems': undefined,
  resource: undefined,
  'cgroup-parent': undefined,
  ulimit: undefined,
  'shm-size': undefined,
  'security-opt': undefined,
};

const read = (values: Partial<ConfinementValues>) => confinementOf({ ...none, ...values });
const limits = (values: Partial<ConfinementValues>) =>
  JSON.parse(JSON.stringify(read(values).confinement?.limits)) as object;

describe('limits', () => {
  test.each<[Partial<ConfinementValues>, object]>([
    [{}, {}],
    [{ memory: '64m' }, { memory: 67108864 }],
    [{ memory: '6291456' }, { memory: 6291456 }],
    [
      { memory: '64m', 'memory-swap': '-1' },
      { memory: 67108864, memorySwap: -1 },
    ],
    [
      { memory: '64m', 'memory-swap': '64m' },
      { memory: 67108864, memorySwap: 67108864 },
    ],
    [{ cpus: '1.5' }, { cpuQuota: 150000, cpuPeriod: 100000 }],
    [{ cpus: '.5'.padStart(3, '0') }, { cpuQuota: 50000, cpuPeriod: 100000 }],
    [
      { 'cpu-shares': '512', 'cpu-quota': '20000', 'cpu-period': '50000' },
      { cpuShares: 512, cpuQuota: 20000, cpuPeriod: 50000 },
    ],
    [
      { 'cpuset-cpus': '0-2,5', 'cpuset-mems': '0' },
      { cpusetCpus: '0-2,5', cpusetMems: '0' },
    ],
    [{ 'cgroup-parent': '/builds' }, { cgroupParent: '/builds' }],
    [{ 'shm-size': '1g' }, { shmSize: 1073741824 }],
    [{ ulimit: ['nofile=1024'] }, { ulimits: [{ name: 'nofile', soft: 1024, hard: 1024 }] }],
    [
      { ulimit: ['nproc=10:20', 'core=-1'] },
      {
        ulimits: [
          { name: 'nproc', soft: 10, hard: 20 },
          { name: 'core', soft: -1, hard: -1 },
        ],
      },
    ],
    [{ ulimit: ['nofile=1:-1', 'nofile=2:3'] }, { ulimits: [{ name: 'nofile', soft: 2, hard: 3 }] }],
    [
      { resource: ['memory=64m,cpuset-cpus=0,1', 'cpu-shares=2'] },
      { memory: 67108864, cpusetCpus: '0,1', cpuShares: 2 },
    ],
    [{ resource: ['memory=64m,memswap=128m'] }, { memory: 67108864, memorySwap: 134217728 }],
  ])('%j is %j', (values, expected) => {
    expect(limits(values)).toEqual(expected);
  });

  test.each<[Partial<ConfinementValues>, string]>([
    [{ memory: '5m' }, 'Minimum memory limit allowed is 6MB'],
    [{ memory: 'much' }, 'invalid argument "much" for "--memory" flag'],
    [{ 'memory-swap': '1g' }, 'You should always set the Memory limit when using Memoryswap limit'],
    [{ memory: '64m', 'memory-swap': '32m' }, 'Minimum memoryswap limit should be larger than memory limit'],
    [{ cpus: '0' }, 'at least 0.01'],
    [{ cpus: '1e3' }, 'at least 0.01'],
    [{ cpus: '1', 'cpu-period': '1000' }, 'Nano CPUs and CPU Period cannot both be set'],
    [{ cpus: '1', 'cpu-quota': '1000' }, 'Nano CPUs and CPU Quota cannot both be set'],
    [{ 'cpu-shares': '-3' }, 'expected a whole number'],
    [{ 'cpuset-cpus': '1;rm' }, 'expected a list such as 0-3,5'],
    [{ 'cgroup-parent': '/a/../../b' }, 'it leads up'],
    [{ 'shm-size': '' }, "invalid size: ''"],
    [{ ulimit: ['nofile'] }, 'invalid ulimit argument: nofile'],
    [{ ulimit: ['files=1'] }, 'invalid ulimit type: files'],
    [{ ulimit: ['nofile=1:2:3'] }, 'too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`'],
    [{ ulimit: ['nofile=1:x'] }, '"x" is no limit'],
    [{ ulimit: ['nofile=3:2'] }, 'ulimit soft limit must be less than or equal to hard limit: 3 > 2'],
    [{ ulimit: ['nofile=-1:2'] }, 'ulimit soft limit must be less than or equal to hard limit: -1 > 2'],
    [{ resource: ['disk=1'] }, 'expected KEY=VALUE with one of memory, memory-swap'],
    [{ resource: ['0'] }, 'expected KEY=VALUE'],
  ])('%j is refused: %s', (values, message) => {
    expect(() => read(values)).toThrow(message);
  });
});

describe('names', () => {
  test.each([
    ['db:10.0.0.1', { name: 'db', address: '10.0.0.1' }],
    ['db=10.0.0.1', { name: 'db', address: '10.0.0.1' }],
    ['db:::1', { name: 'db', address: '::1' }],
    ['db=[fd00::1]', { name: 'db', address: 'fd00::1' }],
    ['machine:host-gateway', { name: 'machine', address: 'host-gateway' }],
  ])('--add-host %s', (text, expected) => {
    expect(read({ 'add-host': [text] }).confinement?.names.hosts).toEqual([expected]);
  });

  test.each<[Partial<ConfinementValues>, string]>([
    [{ 'add-host': ['db'] }, 'bad format for add-host: "db"'],
    [{ 'add-host': ['db:'] }, 'bad format for add-host: "db:"'],
    [{ 'add-host': ['d b:10.0.0.1'] }, 'bad format for add-host'],
    [{ 'add-host': ['db:there'] }, 'invalid IP address in add-host: "there"'],
    [{ 'add-host': ['db:10.0.0.1\n1.1.1.1 other'] }, 'bad format for add-host'],
    [{ 'dns-search': ['a\nnameserver 1.1.1.1'] }, 'is no single word'],
    [{ 'dns-option': ['a b'] }, 'is no single word'],
    [{ dns: ['resolver'] }, 'resolver is not an ip address'],
    [{ allow: ['network.all'] }, 'invalid entitlement "network.all"'],
  ])('%j is refused: %s', (values, message) => {
    expect(() => read(values)).toThrow(message);
  });

  test('several entitlements in one', () => {
    expect(read({ allow: ['network.host,security.insecure'] }).confinement?.allow).toEqual([
      'network.host',
      'security.insecure',
    ]);
  });
});

describe('--security-opt', () => {
  const usual = { seccomp: 'default', noNewPrivileges: false, unmasked: false };
  test.each([
    ['seccomp=unconfined', { ...usual, seccomp: 'unconfined' }],
    ['seccomp:unconfined', { ...usual, seccomp: 'unconfined' }],
    ['seccomp=builtin', usual],
    ['apparmor=mine', { ...usual, apparmor: 'mine' }],
    ['no-new-privileges', { ...usual, noNewPrivileges: true }],
    ['no-new-privileges=true', { ...usual, noNewPrivileges: true }],
    ['no-new-privileges:false', usual],
    ['systempaths=unconfined', { ...usual, unmasked: true }],
    ['label=disable', usual],
  ])('%s', (text, expected) => {
    expect(read({ 'security-opt': [text] }).confinement?.security).toEqual(expected);
  });

  test.each(['label=type:x', 'seccomp=', 'no-new-privileges=2', 'credentialspec=file', ''])('%s is refused', (text) => {
    expect(() => read({ 'security-opt': [text] })).toThrow('there are seccomp, apparmor');
  });

  test('reads a profile of one’s own, and says which file is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-profile-'));
    try {
      const file = join(folder, 'p.json');
      writeFileSync(
        file,
        '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}',
      );
      expect(read({ 'security-opt': [`seccomp=${file}`] }).confinement?.security.seccomp).toMatchObject({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir'] }],
      });
      writeFileSync(file, '{"defaultAction":"ALLOW"}');
      expect(() => read({ 'security-opt': [`seccomp=${file}`] })).toThrow('defaultAction "ALLOW" is no action');
      expect(() => read({ 'security-opt': [`seccomp=${folder}/none`] })).toThrow('opening seccomp profile');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
