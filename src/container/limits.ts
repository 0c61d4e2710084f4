import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Privileges } from '../system/index.ts';
import { capabilityNumber } from './capabilities.ts';
import { type Limits, type Ulimit, type UlimitName } from './confinement.ts';
import type { Isolation } from './contract.ts';
import { ContainerError } from './error.ts';

export const cgroupRoot = '/sys/fs/cgroup';

/** True where a step needs a cgroup of its own. */
export function needsCgroup(limits: Limits | undefined): boolean {
  if (limits === undefined) return false;
  const { memory, memorySwap, cpuShares, cpuQuota, cpuPeriod, cpusetCpus, cpusetMems, cgroupParent } = limits;
  const all = [memory, memorySwap, cpuShares, cpuQuota, cpuPeriod, cpusetCpus, cpusetMems, cgroupParent];
  return all.some((value) => value !== undefined);
}

/**
 * Refuses what cannot be limited here.
 * @throws ContainerError LIMIT_UNAVAILABLE
 */
export function checkLimits(
  limits: Limits | undefined,
  { isolation, privileges }: { readonly isolation: Isolation; readonly privileges: Privileges },
): void {
  if (limits === undefined) return;
  for (const ulimit of limits.ulimits ?? []) checkUlimit(ulimit, privileges);
  if (!needsCgroup(limits)) return;
  const reason =
    privileges.kind === 'root' ? missingController(limits) : 'an ordinary user has no cgroup to limit it by';
  if (reason === undefined) return;
  throw new ContainerError(
    'LIMIT_UNAVAILABLE',
    `memory and CPU of a step cannot be limited here (${isolation}): ${reason}`,
    {
      hint: 'run as root where cgroups are mounted, or leave out --memory, --cpus, --cpu-* and --cgroup-parent',
    },
  );
}

function missingController(limits: Limits): string | undefined {
  const wanted = controllersOf(limits).filter((name) => !hasController(name));
  if (wanted.length === 0) return undefined;
  return `the kernel offers no cgroup controller ${wanted.join(', ')}`;
}

export type Controller = 'memory' | 'cpu' | 'cpuset';

/** The controllers that limits are about. */
export function controllersOf(limits: Limits): readonly Controller[] {
  const { memory, memorySwap, cpuShares, cpuQuota, cpuPeriod, cpusetCpus, cpusetMems } = limits;
  const found: Controller[] = [];
  if (memory !== undefined || memorySwap !== undefined) found.push('memory');
  if (cpuShares !== undefined || cpuQuota !== undefined || cpuPeriod !== undefined) found.push('cpu');
  if (cpusetCpus !== undefined || cpusetMems !== undefined) found.push('cpuset');
  return found;
}

/** True for the unified hierarchy alone, where each cgroup has all controllers. */
export function isUnified(root: string = cgroupRoot): boolean {
  return existsSync(join(root, 'cgroup.controllers'));
}

function hasController(name: Controller): boolean {
  if (!isUnified()) return existsSync(join(cgroupRoot, name, 'cgroup.procs'));
  return readFileSync(join(cgroupRoot, 'cgroup.controllers'), 'utf8').trim().split(' ').includes(name);
}

/** The limit of memory and swap together that docker sets: twice the memory, where swap is counted at all. */
export function swapLimit(limits: Limits, root: string = cgroupRoot): number | undefined {
  const { memory, memorySwap } = limits;
  const isCounted = isUnified(root) || existsSync(join(root, 'memory', 'memory.memsw.limit_in_bytes'));
  if (!isCounted) return undefined;
  return memorySwap ?? (memory === undefined ? undefined : 2 * memory);
}

/** Lines of /proc/self/limits by the name of their limit. */
const shownAs: Readonly<Record<UlimitName, string>> = {
  cpu: 'Max cpu time',
  fsize: 'Max file size',
  data: 'Max data size',
  stack: 'Max stack size',
  core: 'Max core file size',
  rss: 'Max resident set',
  nproc: 'Max processes',
  nofile: 'Max open files',
  memlock: 'Max locked memory',
  locks: 'Max file locks',
  sigpending: 'Max pending signals',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
};

/** Above our own hard limit only CAP_SYS_RESOURCE of the machine itself can set one: a container's root has it rarely. */
function checkUlimit({ name, hard }: Ulimit, privileges: Privileges): void {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const mayRaise = ((effective >> BigInt(capabilityNumber('CAP_SYS_RESOURCE'))) & 1n) === 1n;
  if (privileges.kind === 'root' && mayRaise) return;
  const own = ownHardLimit(name);
  if (own === undefined || (hard !== -1 && hard <= own)) return;
  const wanted = hard === -1 ? 'unlimited' : String(hard);
  throw new ContainerError(
    'LIMIT_UNAVAILABLE',
    `the ulimit ${name} cannot be raised to ${wanted}: the hard limit of this process is ${own}, and it lacks CAP_SYS_RESOURCE`,
    { hint: `give at most --ulimit ${name}=${own}, or raise the limit of whoever starts slipway` },
  );
}

/** undefined: there is none. */
function ownHardLimit(name: UlimitName): number | undefined {
  const limits = readFileSync('/proc/self/limits', 'utf8').split('\n');
  const line = limits.find((each) => each.startsWith(`${shownAs[name]} `));
  const [, hard] = line?.slice(shownAs[name].length).trim().split(/\s+/) ?? [];
  return hard === undefined || hard === 'unlimited' ? undefined : Number(hard);
}
