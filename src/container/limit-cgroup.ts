import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Limits } from './confinement.ts';
import { ContainerError } from './error.ts';
import { cgroupRoot, type Controller, controllersOf, isUnified, swapLimit } from './limits.ts';

/** The cgroups of one step, made for it: what an OCI runtime does for its containers. */
export interface LimitCgroup {
  /** A process that writes `0` to each of these files is in. */
  readonly entrances: readonly string[];
}

/**
 * Makes cgroups called `id` with these limits, below `cgroupParent`, else below the cgroup of this process (v1) or one called
 * `slipway` (v2, where a cgroup with processes has no children with limits). `removeCgroups(id)` takes them away.
 * @param root of the cgroup file systems; `own`: /proc/self/cgroup
 * @throws ContainerError LIMIT_UNAVAILABLE
 */
export function makeLimitCgroup(
  id: string,
  limits: Limits,
  { root = cgroupRoot, own = readFileSync('/proc/self/cgroup', 'utf8') } = {},
): LimitCgroup {
  try {
    if (isUnified(root)) return makeUnified(id, limits, root);
    const named = controllersOf(limits);
    // A parent alone was named: it is joined in every hierarchy where it counts.
    const controllers = named.length === 0 ? (['memory', 'cpu'] as const) : named;
    return { entrances: controllers.map((controller) => makeSplit(controller, { id, limits, root, own })) };
  } catch (cause) {
    throw new ContainerError(
      'LIMIT_UNAVAILABLE',
      `cannot make a cgroup for the limits of a step: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

/** Removes the folder of ours in the unified hierarchy, unless other steps are in it. */
export function forgetOwnParent(root: string = cgroupRoot): void {
  try {
    rmdirSync(join(root, ownParent));
  } catch {
    // there is none, or it is in use
  }
}

const ownParent = 'slipway';

interface Place {
  readonly id: string;
  readonly limits: Limits;
  readonly root: string;
  readonly own: string;
}

function makeSplit(controller: Controller, { id, limits, root, own }: Place): string {
  const hierarchy = join(root, controller);
  const line = own.split('\n').find((each) => each.split(':')[1]?.split(',').includes(controller) === true);
  const mine = line?.split(':').slice(2).join(':') ?? '/';
  const parent = join(hierarchy, limits.cgroupParent ?? (existsSync(join(hierarchy, mine)) ? mine : '/'));
  mkdirSync(parent, { recursive: true });
  const folder = join(parent, id);
  mkdirSync(folder);
  if (controller === 'cpuset') inheritSet(parent, folder, hierarchy);
  for (const [name, value] of splitValues(controller, limits, root)) writeFileSync(join(folder, name), value);
  return join(folder, 'cgroup.procs');
}

/** A new cpuset is empty, and nothing may enter an empty one. Parents that were just made are empty, too. */
function inheritSet(parent: string, folder: string, hierarchy: string): void {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    let value = readFileSync(join(parent, name), 'utf8').trim();
    if (value === '' && parent !== hierarchy) {
      value = readFileSync(join(hierarchy, name), 'utf8').trim();
      writeFileSync(join(parent, name), value);
    }
    writeFileSync(join(folder, name), value);
  }
}

/** Files of cgroup v1 and what is written to them, in order. */
function splitValues(controller: Controller, limits: Limits, root: string): readonly (readonly [string, string])[] {
  switch (controller) {
    case 'memory':
      return present([
        ['memory.limit_in_bytes', limits.memory],
        ['memory.memsw.limit_in_bytes', swapLimit(limits, root)],
      ]);
    case 'cpu':
      return present([
        ['cpu.shares', limits.cpuShares],
        ['cpu.cfs_period_us', limits.cpuPeriod],
        ['cpu.cfs_quota_us', limits.cpuQuota],
      ]);
    case 'cpuset':
      return present([
        ['cpuset.cpus', limits.cpusetCpus],
        ['cpuset.mems', limits.cpusetMems],
      ]);
  }
}

function makeUnified(id: string, limits: Limits, root: string): LimitCgroup {
  const controllers = controllersOf(limits);
  const parent = join(root, limits.cgroupParent ?? ownParent);
  mkdirSync(parent, { recursive: true });
  // Each folder on the way hands its controllers on.
  const enabled = controllers.map((name) => `+${name}`).join(' ');
  const parts = parent.slice(root.length).split('/').filter(Boolean);
  for (let depth = 0; depth <= parts.length && enabled !== ''; depth++) {
    writeFileSync(join(root, ...parts.slice(0, depth), 'cgroup.subtree_control'), enabled);
  }
  const folder = join(parent, id);
  mkdirSync(folder);
  for (const [name, value] of unifiedValues(limits, root)) writeFileSync(join(folder, name), value);
  return { entrances: [join(folder, 'cgroup.procs')] };
}

/** Files of cgroup v2 and what is written to them. Swap is counted by itself there; weights are 1 to 10000. */
export function unifiedValues(limits: Limits, root: string): readonly (readonly [string, string])[] {
  const { memory, cpuShares, cpuQuota, cpuPeriod, cpusetCpus, cpusetMems } = limits;
  const both = swapLimit(limits, root);
  const swap = both === undefined || memory === undefined ? undefined : both === -1 ? 'max' : both - memory;
  const weight = cpuShares === undefined ? undefined : 1 + Math.floor(((cpuShares - 2) * 9999) / 262142);
  const hasTime = cpuQuota !== undefined || cpuPeriod !== undefined;
  const time = hasTime ? `${cpuQuota ?? 'max'} ${cpuPeriod ?? 100_000}` : undefined;
  return present([
    ['memory.max', memory],
    ['memory.swap.max', swap],
    ['cpu.weight', weight],
    ['cpu.max', time],
    ['cpuset.cpus', cpusetCpus],
    ['cpuset.mems', cpusetMems],
  ]);
}

function present(
  values: readonly (readonly [string, string | number | undefined])[],
): readonly (readonly [string, string])[] {
  return values.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]));
}
