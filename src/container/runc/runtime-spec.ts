import { posix } from 'node:path';
import type { Privileges } from '../../system/index.ts';
import { type Capability, defaultCapabilities, heldCapabilities } from '../capabilities.ts';
import { defaultSecurity, type Security } from '../confinement.ts';
import type { ContainerNetwork, ContainerSpec } from '../contract.ts';
import { maskedPaths, readonlyPaths } from '../kernel-paths.ts';
import { type PreparedMount, tmpfsOptions } from '../inner-mounts.ts';
import type { PreparedContainer } from '../prepare.ts';
import { hasAppArmor } from '../security.ts';
import { fakeRootFilter, type Machine, policyFilter } from '../seccomp/filter.ts';
import { type OciSeccomp, ociSeccomp, overlayFilters } from '../seccomp/oci.ts';
import { type OciProfile, ociProfile } from '../seccomp/profile.ts';
import {
  type RuntimeResources,
  type RuntimeRlimit,
  runtimeResources,
  runtimeRlimits,
  shmSizeOption,
} from './resources.ts';

/** The parts of config.json (OCI runtime specification 1.0.2) that are used here. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: {
    readonly user: {
      readonly uid: number;
      readonly gid: number;
      readonly umask: number;
      readonly additionalGids: readonly number[];
    };
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly capabilities: Readonly<Record<CapabilitySet, readonly string[]>>;
    readonly noNewPrivileges: boolean;
    readonly terminal?: boolean;
    readonly rlimits?: readonly RuntimeRlimit[];
    readonly apparmorProfile?: string;
  };
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly RuntimeMount[];
  readonly linux: {
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly seccomp?: OciSeccomp | OciProfile;
    readonly cgroupsPath?: string;
    readonly resources?: RuntimeResources & {
      readonly devices: readonly { readonly allow: boolean; readonly access: string }[];
    };
  };
}

type CapabilitySet = 'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient';

interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** A container as docker would describe it to its runtime. `machine` undefined: no policy is known for this processor. */
export function runtimeSpec(
  container: PreparedContainer,
  privileges: Privileges,
  machine: Machine | undefined,
): RuntimeSpec {
  const { spec, user, env } = container;
  const inNamespace = privileges.kind !== 'root';
  const security = spec.confinement?.security ?? defaultSecurity;
  const limits = spec.confinement?.limits ?? {};
  const capabilities = security.insecure ? heldCapabilities() : defaultCapabilities;
  const seccomp = machine === undefined ? undefined : policy(machine, { privileges, security });
  const isOpen = security.insecure || security.unmasked;
  return {
    ociVersion: '1.0.2',
    process: {
      user: runtimeUser(user, privileges),
      args: spec.args,
      env,
      cwd: spec.cwd,
      capabilities: capabilitySets(user.uid, capabilities),
      noNewPrivileges: security.noNewPrivileges,
      ...(spec.interaction === 'terminal' ? { terminal: true } : {}),
      ...(limits.ulimits === undefined ? {} : { rlimits: runtimeRlimits(limits.ulimits) }),
      ...(security.apparmor !== undefined && hasAppArmor() ? { apparmorProfile: security.apparmor } : {}),
    },
    root: { path: 'rootfs', readonly: isReadOnly(spec) },
    hostname: spec.hostname,
    mounts: [...kernelMounts(container, privileges), ...container.mounts.map(runtimeMount)],
    linux: {
      namespaces: namespaces(spec.network),
      maskedPaths: isOpen ? [] : maskedPaths,
      readonlyPaths: isOpen ? [] : readonlyPaths,
      ...(seccomp === undefined ? {} : { seccomp }),
      ...(limits.cgroupParent === undefined ? {} : { cgroupsPath: posix.join('/', limits.cgroupParent, spec.id) }),
      // The runtime itself allows the usual devices. In a user namespace there are none to forbid, nor a cgroup to do it.
      ...(inNamespace
        ? {}
        : { resources: { ...runtimeResources(limits), devices: [{ allow: security.insecure, access: 'rwm' }] } }),
    },
  };
}

function runtimeUser(user: PreparedContainer['user'], privileges: Privileges): RuntimeSpec['process']['user'] {
  const umask = 0o022;
  // With one id there is nothing to change to.
  if (privileges.kind === 'single') return { uid: 0, gid: 0, umask, additionalGids: [] };
  return { uid: user.uid, gid: user.gid, umask, additionalGids: user.groups };
}

function capabilitySets(uid: number, capabilities: readonly Capability[]): RuntimeSpec['process']['capabilities'] {
  const held = uid === 0 ? capabilities : [];
  return { bounding: capabilities, effective: held, permitted: held, inheritable: [], ambient: [] };
}

function namespaces(network: ContainerNetwork): RuntimeSpec['linux']['namespaces'] {
  const own = ['mount', 'pid', 'ipc', 'uts'].map((type) => ({ type }));
  if (network === 'host') return own;
  return [...own, network === 'none' ? { type: 'network' } : { type: 'network', path: network.namespace }];
}

function isReadOnly({ root }: ContainerSpec): boolean {
  return root.kind === 'directory' ? root.readOnly : root.upper === undefined;
}

/** undefined: every system call may be made. */
function policy(
  machine: Machine,
  { privileges, security }: { readonly privileges: Privileges; readonly security: Security },
): OciSeccomp | OciProfile | undefined {
  if (typeof security.seccomp === 'object' && !security.insecure)
    return ociProfile(security.seccomp, defaultCapabilities);
  if (security.insecure || security.seccomp === 'unconfined') {
    return privileges.kind === 'single' ? ociSeccomp(fakeRootFilter(), machine) : undefined;
  }
  return defaultPolicy(machine, privileges.kind === 'single');
}

const policies = new Map<string, OciSeccomp>();

/** Made once in a thread: 0.4 ms. */
function defaultPolicy(machine: Machine, isSingle: boolean): OciSeccomp {
  const key = `${machine} ${isSingle}`;
  let policy = policies.get(key);
  if (policy === undefined) {
    const base = policyFilter(machine, defaultCapabilities);
    policies.set(key, (policy = ociSeccomp(isSingle ? overlayFilters(base, fakeRootFilter()) : base, machine)));
  }
  return policy;
}

/** Those in whose place the step wants another are left out. */
function kernelMounts({ spec, mounts }: PreparedContainer, privileges: Privileges): readonly RuntimeMount[] {
  const quiet = ['nosuid', 'noexec', 'nodev'];
  const terminalGroup = privileges.kind === 'single' ? [] : ['gid=5'];
  return [
    mount('/proc', 'proc', quiet),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...terminalGroup]),
    mount('/dev/shm', 'tmpfs', [...quiet, 'mode=1777', shmSizeOption(spec.confinement?.limits)]),
    mount('/dev/mqueue', 'mqueue', quiet),
    sysMount(spec, privileges),
  ].filter(({ destination }) => mounts.every(({ path }) => path !== destination));
}

/** A sysfs of its own takes the rights over the network namespace; else the machine's is shown. */
function sysMount(spec: ContainerSpec, privileges: Privileges): RuntimeMount {
  const options = ['nosuid', 'noexec', 'nodev', spec.confinement?.security?.insecure === true ? 'rw' : 'ro'];
  if (privileges.kind === 'root' || spec.network !== 'host') return mount('/sys', 'sysfs', options);
  return { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...options] };
}

function mount(destination: string, type: string, options: readonly string[]): RuntimeMount {
  return { destination, type, source: type, options };
}

function runtimeMount(prepared: PreparedMount): RuntimeMount {
  if (prepared.kind === 'bind') {
    const options = ['rbind', 'rprivate', prepared.readOnly ? 'ro' : 'rw'];
    return { destination: prepared.path, type: 'bind', source: prepared.source, options };
  }
  const options = ['nosuid', ...tmpfsOptions(prepared).split(',')];
  return { destination: prepared.path, type: 'tmpfs', source: 'tmpfs', options };
}
