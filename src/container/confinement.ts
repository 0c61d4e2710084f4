import type { SeccompProfile } from './seccomp/profile.ts';

/** What a step is given of the machine, and what of it it may use. Everything absent: docker's defaults. */
export interface Confinement {
  readonly limits?: Limits | undefined;
  readonly names?: NameService | undefined;
  readonly security?: Security | undefined;
}

/** How much a step may use. Bytes, and microseconds for `cpuQuota` and `cpuPeriod`. */
export interface Limits {
  readonly memory?: number | undefined;
  /** Memory and swap together; -1: as much swap as there is. */
  readonly memorySwap?: number | undefined;
  /** Weight beside others; 1024 is usual. */
  readonly cpuShares?: number | undefined;
  readonly cpuQuota?: number | undefined;
  readonly cpuPeriod?: number | undefined;
  /** `0-3,5` */
  readonly cpusetCpus?: string | undefined;
  readonly cpusetMems?: string | undefined;
  /** The cgroup below which a step's own is made. */
  readonly cgroupParent?: string | undefined;
  /** Of /dev/shm; 64 MiB unless given. */
  readonly shmSize?: number | undefined;
  readonly ulimits?: readonly Ulimit[] | undefined;
}

/** A limit of setrlimit(2); -1 is none. */
export interface Ulimit {
  readonly name: UlimitName;
  readonly soft: number;
  readonly hard: number;
}

/** What docker can limit, with the numbers of asm-generic/resource.h. */
export const ulimitNumbers = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

/** Names as `--ulimit` has them: those of setrlimit(2) in small letters. */
export type UlimitName = keyof typeof ulimitNumbers;

/** How names are resolved, beside what the machine says. */
export interface NameService {
  /** Further lines of /etc/hosts; the address `host-gateway` is the machine as the step sees it. */
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
  /** Addresses of name servers in place of the machine's. */
  readonly servers: readonly string[];
  /** In place of the machine's; `.` alone: none. */
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export interface Security {
  /** `RUN --security=insecure`: every capability that we have, no system call policy, nothing hidden; namespaces of its own still. */
  readonly insecure: boolean;
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
  /** Name of a profile, or `unconfined`. */
  readonly apparmor?: string | undefined;
  readonly noNewPrivileges: boolean;
  /** `systempaths=unconfined`: no masked and protected paths. */
  readonly unmasked: boolean;
}

export const defaultSecurity: Security = {
  insecure: false,
  seccomp: 'default',
  noNewPrivileges: false,
  unmasked: false,
};

export const defaultShmSize: number = 64 << 20;
