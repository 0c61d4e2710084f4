import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { option, string } from '@oclif/core/flags';
import {
  type BuildRequest,
  type ConfinementRequest,
  type Entitlement,
  entitlements,
  type Limits,
  parseSeccompProfile,
  type Ulimit,
  type UlimitName,
  ulimitNumbers,
} from '../../build/index.ts';
import { messageOf, UsageError } from '../../errors.ts';
import { listFlag } from '../flags.ts';
import { parseSize } from '../size.ts';

/** Flags of `build` about what RUN steps are given of the machine and what they may use. */
export const confinementFlags = {
  network: option({
    options: ['default', 'host', 'none'] as const,
    description: 'Network of RUN steps; default is a private one where it can be made',
    default: 'default',
  })(),
  allow: listFlag({ description: 'Allow network.host or security.insecure to steps', helpValue: 'ENTITLEMENT' }),
  'add-host': listFlag({ description: 'Add a line to /etc/hosts; host-gateway is this machine', helpValue: 'NAME:IP' }),
  dns: listFlag({ description: 'Name server', helpValue: 'IP' }),
  'dns-search': listFlag({ description: 'Search domain; . for none', helpValue: 'DOMAIN' }),
  'dns-option': listFlag({ aliases: ['dns-opt'], description: 'Option of resolv.conf', helpValue: 'OPTION' }),
  memory: string({ char: 'm', description: 'Memory limit', helpValue: 'BYTES' }),
  'memory-swap': string({
    description: 'Limit of memory and swap together; -1 for no limit of swap',
    helpValue: 'BYTES',
  }),
  cpus: string({ description: 'Number of CPUs, such as 1.5', helpValue: 'NUMBER' }),
  'cpu-shares': string({ char: 'c', description: 'Weight beside other processes; 1024 is usual', helpValue: 'WEIGHT' }),
  'cpu-period': string({ description: 'Length of a scheduling period', helpValue: 'MICROSECONDS' }),
  'cpu-quota': string({ description: 'CPU time in a period', helpValue: 'MICROSECONDS' }),
  'cpuset-cpus': string({ description: 'CPUs to run on: 0-3, 0,1', helpValue: 'CPUS' }),
  'cpuset-mems': string({ description: 'Memory nodes to use: 0-3, 0,1', helpValue: 'NODES' }),
  resource: listFlag({
    description:
      'Limits in one: memory=…,memory-swap=…,cpu-shares=…,cpu-period=…,cpu-quota=…,cpuset-cpus=…,cpuset-mems=…',
    helpValue: 'KEY=VALUE',
  }),
  'cgroup-parent': string({ description: 'Parent of the cgroups of steps', helpValue: 'CGROUP' }),
  ulimit: listFlag({ description: 'Limit of a process', helpValue: 'NAME=SOFT[:HARD]' }),
  'shm-size': string({ description: 'Size of /dev/shm; 64m unless given', helpValue: 'BYTES' }),
  'security-opt': listFlag({
    description: 'seccomp=unconfined|FILE, apparmor=PROFILE, no-new-privileges, systempaths=unconfined',
    helpValue: 'OPTION',
  }),
};

export interface ConfinementValues {
  readonly network: 'default' | 'host' | 'none';
  readonly allow: readonly string[] | undefined;
  readonly 'add-host': readonly string[] | undefined;
  readonly dns: readonly string[] | undefined;
  readonly 'dns-search': readonly string[] | undefined;
  readonly 'dns-option': readonly string[] | undefined;
  readonly memory: string | undefined;
  readonly 'memory-swap': string | undefined;
  readonly cpus: string | undefined;
  readonly 'cpu-shares': string | undefined;
  readonly 'cpu-period': string | undefined;
  readonly 'cpu-quota': string | undefined;
  readonly 'cpuset-cpus': string | undefined;
  readonly 'cpuset-mems': string | undefined;
  readonly resource: readonly string[] | undefined;
  readonly 'cgroup-parent': string | undefined;
  readonly ulimit: readonly string[] | undefined;
  readonly 'shm-size': string | undefined;
  readonly 'security-opt': readonly string[] | undefined;
}

/**
 * The part of a build's request that these flags make.
 * @throws UsageError, in docker's words where it has some
 */
export function confinementOf(values: ConfinementValues): Pick<BuildRequest, 'network' | 'confinement'> {
  return {
    network: values.network,
    confinement: {
      limits: limitsOf(values),
      names: {
        hosts: (values['add-host'] ?? []).map(parseHost),
        servers: (values.dns ?? []).map(parseServer),
        search: (values['dns-search'] ?? []).map((text) => wordOf('dns-search', text)),
        options: (values['dns-option'] ?? []).map((text) => wordOf('dns-option', text)),
      },
      security: securityOf(values['security-opt'] ?? []),
      allow: parseEntitlements(values.allow),
    },
  };
}

const leastMemory = 6 << 20;
const usualPeriod = 100_000;

/** @throws UsageError */
function limitsOf(values: ConfinementValues): Limits {
  const given = { ...values, ...resourcesOf(values.resource ?? []) };
  const memory = sizeOf('memory', given.memory);
  const memorySwap = given['memory-swap'] === '-1' ? -1 : sizeOf('memory-swap', given['memory-swap']);
  if (memory !== undefined && memory < leastMemory) throw new UsageError('Minimum memory limit allowed is 6MB');
  if (memorySwap !== undefined && memory === undefined) {
    throw new UsageError('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (memorySwap !== undefined && memorySwap !== -1 && memorySwap < (memory ?? 0)) {
    throw new UsageError('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  return {
    memory,
    memorySwap,
    cpuShares: numberOf('cpu-shares', given['cpu-shares']),
    ...timeOf(given),
    cpusetCpus: setOf('cpuset-cpus', given['cpuset-cpus']),
    cpusetMems: setOf('cpuset-mems', given['cpuset-mems']),
    cgroupParent: cgroupOf(given['cgroup-parent']),
    shmSize: sizeOf('shm-size', given['shm-size']),
    ulimits: given.ulimit === undefined ? undefined : lastOfEach(given.ulimit.map(parseUlimit)),
  };
}

/** `--cpus` is a quota in another form. */
function timeOf(given: ConfinementValues): Pick<Limits, 'cpuQuota' | 'cpuPeriod'> {
  const quota = numberOf('cpu-quota', given['cpu-quota']);
  const period = numberOf('cpu-period', given['cpu-period']);
  if (given.cpus === undefined) return { cpuQuota: quota, cpuPeriod: period };
  if (period !== undefined || quota !== undefined) {
    const other = period !== undefined ? 'CPU Period' : 'CPU Quota';
    throw new UsageError(`Conflicting options: Nano CPUs and ${other} cannot both be set.`);
  }
  const cpus = /^\d+(\.\d+)?$/.test(given.cpus) ? Number(given.cpus) : Number.NaN;
  if (!(cpus >= 0.01)) throw invalid('cpus', given.cpus, 'expected a number of at least 0.01');
  return { cpuQuota: Math.round(cpus * usualPeriod), cpuPeriod: usualPeriod };
}

type ResourceName =
  | 'memory'
  | 'memory-swap'
  | 'cpu-shares'
  | 'cpu-period'
  | 'cpu-quota'
  | 'cpuset-cpus'
  | 'cpuset-mems';

/** Names of what `--resource` sets, as flags of their own. */
const resourceNames: Readonly<Record<string, ResourceName>> = {
  memory: 'memory',
  'memory-swap': 'memory-swap',
  memswap: 'memory-swap',
  'cpu-shares': 'cpu-shares',
  'cpu-period': 'cpu-period',
  'cpu-quota': 'cpu-quota',
  'cpuset-cpus': 'cpuset-cpus',
  'cpuset-mems': 'cpuset-mems',
};

/** `KEY=VALUE,KEY=VALUE`; a part without `=` goes on with the value before it: `cpuset-cpus=0,1`. */
function resourcesOf(texts: readonly string[]): Partial<Record<ResourceName, string>> {
  const found: Partial<Record<ResourceName, string>> = {};
  for (const text of texts) {
    let last: ResourceName | undefined;
    for (const part of text.split(',')) {
      const equals = part.indexOf('=');
      if (equals < 0 && last !== undefined) {
        found[last] += `,${part}`;
        continue;
      }
      last = equals < 0 ? undefined : resourceNames[part.slice(0, equals)];
      if (last === undefined) {
        throw invalid('resource', text, `expected KEY=VALUE with one of ${Object.keys(resourceNames).join(', ')}`);
      }
      found[last] = part.slice(equals + 1);
    }
  }
  return found;
}

/** `NAME=SOFT[:HARD]`, in go-units' words. */
function parseUlimit(text: string): Ulimit {
  const [name = '', ...rest] = text.split('=');
  if (rest.length === 0) throw new UsageError(`invalid ulimit argument: ${text}`);
  if (!isUlimit(name))
    throw new UsageError(`invalid ulimit type: ${name}`, { hint: Object.keys(ulimitNumbers).join(', ') });
  const parts = rest.join('=').split(':');
  if (parts.length > 2) {
    throw new UsageError(
      `too many limit value arguments - ${rest.join('=')}, can only have up to two, \`soft[:hard]\``,
    );
  }
  const [soft = 0, hard = soft] = parts.map((part) => {
    if (!/^(-1|\d{1,15})$/.test(part)) throw invalid('ulimit', text, `${JSON.stringify(part)} is no limit`);
    return Number(part);
  });
  if (hard !== -1 && (soft > hard || soft === -1)) {
    throw new UsageError(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { name, soft, hard };
}

function isUlimit(name: string): name is UlimitName {
  return Object.hasOwn(ulimitNumbers, name);
}

function lastOfEach(ulimits: readonly Ulimit[]): readonly Ulimit[] {
  return [...new Map(ulimits.map((ulimit) => [ulimit.name, ulimit])).values()];
}

/** `NAME:IP` or `NAME=IP`; an IPv6 address may stand in brackets. */
function parseHost(text: string): ConfinementRequest['names']['hosts'][number] {
  const split = /^([^=:]+)[=:](.+)$/.exec(text);
  if (split === null) throw new UsageError(`bad format for add-host: ${JSON.stringify(text)}`);
  const [, name = '', written = ''] = split;
  const address = written.replace(/^\[(.*)\]$/, '$1');
  if (address !== 'host-gateway' && isIP(address) === 0) {
    throw new UsageError(`invalid IP address in add-host: ${JSON.stringify(written)}`);
  }
  if (/\s/.test(name) || name.includes('\0')) throw new UsageError(`bad format for add-host: ${JSON.stringify(text)}`);
  return { name, address };
}

function parseServer(text: string): string {
  if (isIP(text) === 0) throw new UsageError(`${text} is not an ip address`);
  return text;
}

/**
 * What `--allow` allows.
 * @throws UsageError
 */
export function parseEntitlements(texts: readonly string[] | undefined): readonly Entitlement[] {
  return (texts ?? []).flatMap((text) => text.split(',')).map(parseEntitlement);
}

function parseEntitlement(text: string): Entitlement {
  const found = entitlements.find((name) => name === text);
  if (found === undefined)
    throw new UsageError(`invalid entitlement ${JSON.stringify(text)}`, {
      hint: `there are ${entitlements.join(' and ')}`,
    });
  return found;
}

/** `key=value` or `key:value`, as docker run takes them. */
function securityOf(options: readonly string[]): ConfinementRequest['security'] {
  let security: ConfinementRequest['security'] = { seccomp: 'default', noNewPrivileges: false, unmasked: false };
  for (const text of options) {
    const [, key = '', value = ''] = /^([^=:]+)[=:]?(.*)$/s.exec(text) ?? [];
    security = { ...security, ...securityOption(key, value, text) };
  }
  return security;
}

function securityOption(key: string, value: string, text: string): Partial<ConfinementRequest['security']> {
  switch (`${key}=${value}`) {
    case 'no-new-privileges=':
    case 'no-new-privileges=true':
      return { noNewPrivileges: true };
    case 'no-new-privileges=false':
      return { noNewPrivileges: false };
    case 'systempaths=unconfined':
      return { unmasked: true };
    case 'seccomp=unconfined':
      return { seccomp: 'unconfined' };
    case 'seccomp=builtin':
      return { seccomp: 'default' };
    case 'label=disable': // nothing is labelled
      return {};
  }
  if (key === 'seccomp' && value !== '') return { seccomp: readProfile(value) };
  if (key === 'apparmor' && value !== '') return { apparmor: value };
  throw invalid('security-opt', text, 'there are seccomp, apparmor, no-new-privileges and systempaths');
}

function readProfile(file: string): ReturnType<typeof parseSeccompProfile> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`opening seccomp profile (${file}) failed: ${messageOf(cause)}`, { cause });
  }
  return parseSeccompProfile(text);
}

/** Part of a line of resolv.conf. */
function wordOf(flag: string, text: string): string {
  if (!/^\S+$/.test(text) || text.includes('\0')) throw invalid(flag, text, 'it is no single word');
  return text;
}

function sizeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseSize(text);
  } catch (error) {
    throw invalid(flag, text, messageOf(error));
  }
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalid(flag, text, 'expected a whole number');
  return Number(text);
}

function setOf(flag: string, text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) throw invalid(flag, text, 'expected a list such as 0-3,5');
  return text;
}

/** A path among cgroups: nothing in it leads up. */
function cgroupOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.split('/').some((part) => part === '..' || part.includes('\0')))
    throw invalid('cgroup-parent', text, 'it leads up');
  return text;
}

function invalid(flag: string, text: string, reason: string): UsageError {
  return new UsageError(`invalid argument "${text}" for "--${flag}" flag: ${reason}`);
}
