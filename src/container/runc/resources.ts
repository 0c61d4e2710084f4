import { defaultShmSize, type Limits, type Ulimit } from '../confinement.ts';
import { swapLimit } from '../limits.ts';

/** `linux.resources` but for devices. */
export interface RuntimeResources {
  readonly memory?: { readonly limit?: number; readonly swap?: number };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
}

/** An entry of `process.rlimits`; numbers above 2^53 as JSON cannot say them exactly stand for "none" anyway. */
export interface RuntimeRlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

/** @param root of the cgroup file systems */
export function runtimeResources(limits: Limits, root?: string): RuntimeResources {
  const { memory, cpuShares: shares, cpuQuota: quota, cpuPeriod: period, cpusetCpus: cpus, cpusetMems: mems } = limits;
  const swap = swapLimit(limits, root);
  const forMemory = { ...(memory === undefined ? {} : { limit: memory }), ...(swap === undefined ? {} : { swap }) };
  const forCpu = {
    ...(shares === undefined ? {} : { shares }),
    ...(quota === undefined ? {} : { quota }),
    ...(period === undefined ? {} : { period }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(mems === undefined ? {} : { mems }),
  };
  return {
    ...(Object.keys(forMemory).length === 0 ? {} : { memory: forMemory }),
    ...(Object.keys(forCpu).length === 0 ? {} : { cpu: forCpu }),
  };
}

/** RLIM_INFINITY is written by `serializeSpec`, because no JavaScript number is it. */
const infinity = '18446744073709551615';

export function runtimeRlimits(ulimits: readonly Ulimit[]): readonly RuntimeRlimit[] {
  return ulimits.map(({ name, soft, hard }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft, hard }));
}

/** JSON of a bundle: -1 of a limit becomes the number that means none. */
export function serializeSpec(spec: unknown): string {
  return JSON.stringify(spec).replace(/"(soft|hard)":-1(?=[,}])/g, `"$1":${infinity}`);
}

export function shmSizeOption(limits: Limits | undefined): string {
  const size = limits?.shmSize ?? defaultShmSize;
  return size % 1024 === 0 ? `size=${size / 1024}k` : `size=${size}`;
}
