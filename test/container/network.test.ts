import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { NameService } from '../../src/container/index.ts';
import { MachineLock } from '../../src/container/network/machine-lock.ts';
import {
  bridgeName,
  formatSubnet,
  freeSubnets,
  hostOf,
  parseRoutes,
  type Subnet,
  subnetOfBridge,
} from '../../src/container/network/subnet.ts';
import { reachableServers } from '../../src/container/network/netavark.ts';
import { hostsFile, parseResolver, resolverFile } from '../../src/container/network-files.ts';

const names = (given: Partial<NameService> = {}): NameService => {
  return { hosts: [], servers: [], search: [], options: [], ...given };
};
const machine =
  '# here\nnameserver 127.0.0.53\nnameserver 10.1.1.1\nsearch a.example b.example\noptions edns0\noptions ndots:2\n';
const network = { namespace: '/x', nameservers: ['10.9.9.9'], hostGateway: '10.98.0.1' };

describe('/etc/resolv.conf', () => {
  test.each<[string, Parameters<typeof resolverFile>[1], NameService, string]>([
    ['is the machine’s in its network', 'host', names(), machine],
    [
      'has its servers and the machine’s domains in a network of its own',
      network,
      names(),
      'nameserver 10.9.9.9\nsearch a.example b.example\noptions edns0 ndots:2\n',
    ],
    [
      'takes --dns before all',
      network,
      names({ servers: ['1.1.1.1', '::1'] }),
      'nameserver 1.1.1.1\nnameserver ::1\nsearch a.example b.example\noptions edns0 ndots:2\n',
    ],
    [
      'takes --dns-search and --dns-option before the machine’s',
      'host',
      names({ search: ['c.example'], options: ['rotate'] }),
      'nameserver 127.0.0.53\nnameserver 10.1.1.1\nsearch c.example\noptions rotate\n',
    ],
    [
      'has no domain with --dns-search .',
      network,
      names({ search: ['.'] }),
      'nameserver 10.9.9.9\noptions edns0 ndots:2\n',
    ],
  ])('%s', (_, mode, given, expected) => {
    expect(resolverFile(machine, mode, given)).toBe(expected);
  });

  test('is empty where there is no network', () => {
    expect(resolverFile('', 'none', names())).toBe('');
  });

  test('of several searches the last one counts', () => {
    expect(parseResolver('domain a\nsearch b\nsearch c d\n').search).toEqual(['c', 'd']);
  });
});

test('/etc/hosts has docker’s lines, then those of --add-host', () => {
  const hosts = [
    { name: 'db', address: '10.0.0.1' },
    { name: 'machine', address: 'host-gateway' },
  ];
  expect(hostsFile('box', names({ hosts }), () => '10.98.0.1')).toBe(
    '127.0.0.1\tlocalhost box\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.1\tdb\n10.98.0.1\tmachine\n',
  );
});

describe('subnets', () => {
  const parse = (text: string): Subnet => {
    const [address = '', bits = ''] = text.split('/');
    return { address: Buffer.from(address.split('.').map(Number)).readUInt32BE(), bits: Number(bits) };
  };
  const first = (taken: readonly string[], random = 0): string | undefined => {
    const [found] = freeSubnets(taken.map(parse), random);
    return found === undefined ? undefined : formatSubnet(found);
  };

  test.each<[string, readonly string[], number, string | undefined]>([
    ['the first of the range', [], 0, '10.98.0.0/26'],
    ['somewhere else', [], 0.5, '10.98.128.0/26'],
    ['the next after one that is taken', ['10.98.0.0/26'], 0, '10.98.0.64/26'],
    ['none in a larger one', ['10.98.0.0/17'], 0, '10.98.128.0/26'],
    ['none around a smaller one', ['10.98.0.7/32'], 0, '10.98.0.64/26'],
    ['from another range where a route has all of the first', ['10.0.0.0/8'], 0, '172.29.0.0/26'],
    ['from the last one', ['10.0.0.0/8', '172.16.0.0/12'], 0, '192.168.192.0/26'],
    ['none at all', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], 0, undefined],
  ])('%s', (_, taken, random, expected) => {
    expect(first(taken, random)).toBe(expected);
  });

  test('the routes of the machine count, the default one does not', () => {
    const text =
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n' +
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n' +
      'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
    expect(parseRoutes(text).map(formatSubnet)).toEqual(['192.0.2.0/24']);
  });

  test('a bridge’s name tells its network', () => {
    const subnet = parse('10.98.3.64/26');
    expect(bridgeName(subnet)).toBe('slw0a620340');
    expect(subnetOfBridge('slw0a620340')).toEqual(subnet);
    expect(['docker0', 'slw0a62034', 'slwzzzzzzzz'].map(subnetOfBridge)).toEqual([undefined, undefined, undefined]);
    expect([1, 2].map((number) => hostOf(subnet, number))).toEqual(['10.98.3.65', '10.98.3.66']);
  });
});

describe('name servers for a network of its own', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'slipway-resolver-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const file = (text: string): string => {
    const path = join(scratch, Math.random().toString(36));
    writeFileSync(path, text);
    return path;
  };
  test.each<[string, readonly string[], readonly string[]]>([
    ['are the machine’s', [file('nameserver 10.1.1.1\nnameserver 10.1.1.2\n')], ['10.1.1.1', '10.1.1.2']],
    ['but not those on its loopback', [file('nameserver 127.0.0.1\nnameserver 10.1.1.2\n')], ['10.1.1.2']],
    [
      'are those that its own resolver asks',
      [file('nameserver 127.0.0.53\n'), file('nameserver 10.2.2.2\n')],
      ['10.2.2.2'],
    ],
    [
      'are docker’s choice where there are none',
      [file('nameserver ::1\n'), join(scratch, 'none')],
      ['8.8.8.8', '8.8.4.4'],
    ],
  ])('%s', (_, files, expected) => {
    expect(reachableServers(files)).toEqual(expected);
  });
});

test('a lock of the machine has one holder', async () => {
  const name = `test-${process.pid}`;
  const lock = await MachineLock.take(name);
  expect(await MachineLock.take(name)).toBeUndefined();
  await expect(MachineLock.wait(name, 20)).rejects.toThrow('another process has held the lock');
  await lock?.[Symbol.asyncDispose]();
  await using again = await MachineLock.take(name);
  expect(again).toBeDefined();
});
