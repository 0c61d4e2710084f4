import type { Privileges } from '../../system/index.ts';
import { capabilityMask, defaultCapabilities, heldCapabilities } from '../capabilities.ts';
import { defaultSecurity, type Ulimit, ulimitNumbers } from '../confinement.ts';
import type { PreparedContainer } from '../prepare.ts';
import { compileFilter } from '../seccomp/bpf.ts';
import { fakeRootFilter, type Machine, policyFilter, terminalFilter } from '../seccomp/filter.ts';
import { recordExecution } from './execution.ts';
import { recordMounts } from './mounts.ts';
import { Tape } from './tape.ts';

/** Descriptor on which the tape tells `started` at its first call, and a failure. The step's process does not have it. */
export const reportFd = 3;
export const started = 'S';

const stderrFd = 4; // see LauncherChannels
const oldRootFd = 4; // later
const currentDirectory = -100; // AT_FDCWD
const openPathFolder = 0o12200000; // O_PATH | O_DIRECTORY | O_CLOEXEC
const setDescriptorFlags = 2; // F_SETFD
const closeOnExec = 1;
const detach = 2; // MNT_DETACH

export interface ScriptSurroundings {
  readonly privileges: Privileges;
  readonly machine: Machine;
  /** Files of cgroups to enter: see `LimitCgroup`. */
  readonly entrances: readonly string[];
}

export interface Script {
  readonly tape: Tape;
  /** Index of the first call that starts the step's program: failures from there on are its own. */
  readonly execution: number;
}

/**
 * All that happens in the sandbox between unshare(1) and the step's program, as system calls. The old root stays the working
 * directory until everything is mounted: sources are relative paths in it, targets absolute paths in the new root, where no
 * link can lead out.
 */
export function recordScript(container: PreparedContainer, surroundings: ScriptSurroundings): Script {
  const { privileges, machine } = surroundings;
  const tape = new Tape(machine);
  recordEntry(tape, container, surroundings);
  recordMounts(tape, container, privileges);
  recordIdentity(tape, container);
  tape.call('umount2', [tape.text('.'), detach], { purpose: 'leave the machine’s root' });
  tape.call('chdir', [tape.text('/')], { purpose: 'enter the root' });
  tape.call('close', [oldRootFd], { purpose: 'leave the machine’s root' });
  recordUlimits(tape, container.spec.confinement?.limits?.ulimits ?? []);
  recordPrivileges(tape, container, privileges);
  const execution = recordExecution(tape, container);
  return { tape, execution };
}

function recordEntry(tape: Tape, { rootfs, spec }: PreparedContainer, { entrances }: ScriptSurroundings): void {
  const purpose = 'enter the root file system';
  tape.call('write', [reportFd, tape.text(started), started.length], { purpose });
  tape.call('fcntl', [reportFd, setDescriptorFlags, closeOnExec], { purpose });
  tape.call('dup3', [stderrFd, 2, 0], { purpose });
  tape.call('close_range', [stderrFd, 0xffff_ffff, 0], { purpose: 'close inherited files (Linux 5.9 is needed)' });
  tape.call('rt_sigprocmask', [2, tape.words([0]), 0, 8], { purpose }); // SIG_SETMASK: none blocked
  for (const file of entrances) enterCgroup(tape, file);
  if (typeof spec.network === 'object') enterNetwork(tape, spec.network.namespace);
  tape.call('umask', [0], { purpose });
  tape.call('openat', [currentDirectory, tape.text('/'), openPathFolder], { purpose });
  tape.call('chdir', [tape.text(rootfs)], { purpose });
  // Both roots on one point, as pivot_root(2) describes: `/` is the new one, the old one lies on top of it.
  tape.call('pivot_root', [tape.text('.'), tape.text('.')], { purpose });
  tape.call('fchdir', [oldRootFd], { purpose });
}

/** Descriptor that the next open gets, while only 0 to 3 are open. */
const nextFd = 4;
const closeOnExecFlag = 0o2000000; // O_CLOEXEC
const newNetwork = 0x40000000; // CLONE_NEWNET

function enterCgroup(tape: Tape, file: string): void {
  const purpose = 'enter the cgroup of the limits';
  tape.call('openat', [currentDirectory, tape.text(file), 1 | closeOnExecFlag], { purpose }); // O_WRONLY
  tape.call('write', [nextFd, tape.text('0'), 1], { purpose });
  tape.call('close', [nextFd], { purpose });
}

function enterNetwork(tape: Tape, namespace: string): void {
  const purpose = 'enter the network';
  tape.call('openat', [currentDirectory, tape.text(namespace), closeOnExecFlag], { purpose });
  tape.call('setns', [nextFd, newNetwork], { purpose });
  tape.call('close', [nextFd], { purpose });
}

const unlimited = 0xffff_ffff_ffff_ffffn; // RLIM_INFINITY

/** Before capabilities go: raising a hard limit takes one. */
function recordUlimits(tape: Tape, ulimits: readonly Ulimit[]): void {
  for (const { name, soft, hard } of ulimits) {
    const limit = tape.words([soft, hard].map((value) => (value === -1 ? unlimited : value)));
    tape.call('prlimit64', [0, ulimitNumbers[name], limit, 0], { purpose: `set the ulimit ${name}` });
  }
}

function recordIdentity(tape: Tape, { spec }: PreparedContainer): void {
  const purpose = 'set the host name';
  tape.call('sethostname', [tape.text(spec.hostname), Buffer.byteLength(spec.hostname)], { purpose });
  if (spec.network === 'none') raiseLoopback(tape);
  // A session keyring of its own, as runc gives: the machine's keys are not to be found through it.
  tape.call('keyctl', [1, tape.text(`_ses.${spec.id}`)], { purpose, tolerate: 'all' });
  // With a terminal it stays in the session whose terminal that is.
  if (spec.interaction !== 'terminal') tape.call('setsid', [], { purpose: 'start a session', tolerate: ['EPERM'] });
}

function raiseLoopback(tape: Tape): void {
  const purpose = 'raise the loopback interface';
  const socketFd = 5; // the lowest free one
  const request = Buffer.alloc(40); // struct ifreq
  request.write('lo');
  request.writeUInt16LE(0x41, 16); // IFF_UP | IFF_RUNNING
  tape.call('socket', [2, 2, 0], { purpose }); // AF_INET, SOCK_DGRAM
  tape.call('ioctl', [socketFd, 0x8914, tape.bytes(request)], { purpose }); // SIOCSIFFLAGS
  tape.call('close', [socketFd], { purpose });
}

const sysAdmin = 1n << 21n;
const lastPossibleCapability = 63;

/**
 * Docker's fourteen capabilities for root, none for others, all others gone for good; then the system call policy. Loading
 * it takes CAP_SYS_ADMIN or no_new_privs, and the latter would break set-user-id programs: so it comes before the last
 * capabilities go, and allows what is still to be done.
 */
function recordPrivileges(tape: Tape, { user, spec }: PreparedContainer, privileges: Privileges): void {
  const purpose = 'drop capabilities';
  const security = spec.confinement?.security ?? defaultSecurity;
  const kept = capabilityMask(security.insecure ? heldCapabilities() : defaultCapabilities);
  tape.call('prctl', [47, 4, 0, 0, 0], { purpose, tolerate: ['EINVAL'] }); // PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL
  for (let number = 0; number <= lastPossibleCapability; number++) {
    if ((kept & (1n << BigInt(number))) !== 0n) continue;
    tape.call('prctl', [24, number, 0, 0, 0], { purpose, tolerate: ['EINVAL'] }); // PR_CAPBSET_DROP; EINVAL: none such
  }
  setCapabilities(tape, kept | sysAdmin);
  if (security.noNewPrivileges) tape.call('prctl', [38, 1, 0, 0, 0], { purpose: 'give up new privileges' }); // PR_SET_NO_NEW_PRIVS
  if (!security.insecure && security.seccomp === 'default') loadFilter(tape, compiledPolicy(tape.machine));
  if (spec.interaction === 'terminal') loadFilter(tape, compileFilter(terminalFilter(), tape.machine));
  // With one id there is nothing to change to. The exec that follows leaves root no more than the bounding set.
  if (privileges.kind === 'single') {
    loadFilter(tape, compileFilter(fakeRootFilter(), tape.machine));
  } else {
    setCapabilities(tape, kept);
    becomeUser(tape, user);
  }
  // Changing the user has taken it away from us.
  tape.call('prctl', [1, 9, 0, 0, 0], { purpose: 'end with the parent' }); // PR_SET_PDEATHSIG, SIGKILL
}

function becomeUser(tape: Tape, user: PreparedContainer['user']): void {
  const groups = Buffer.alloc(user.groups.length * 4);
  for (const [index, gid] of user.groups.entries()) groups.writeUInt32LE(gid, index * 4);
  const purpose = `become user ${user.uid}:${user.gid}`;
  tape.call('setgroups', [user.groups.length, tape.bytes(groups)], { purpose });
  tape.call('setresgid', [user.gid, user.gid, user.gid], { purpose });
  tape.call('setresuid', [user.uid, user.uid, user.uid], { purpose });
}

/** Permitted and effective; inheritable becomes empty. */
function setCapabilities(tape: Tape, mask: bigint): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x20080522); // _LINUX_CAPABILITY_VERSION_3
  const sets = Buffer.alloc(24); // effective, permitted, inheritable: low words, then high words
  for (const offset of [0, 4]) {
    sets.writeUInt32LE(Number(mask & 0xffff_ffffn), offset);
    sets.writeUInt32LE(Number(mask >> 32n), offset + 12);
  }
  tape.call('capset', [tape.bytes(header), tape.bytes(sets)], { purpose: 'drop capabilities' });
}

const compiled = new Map<Machine, Buffer>();

/** Compiled once in a thread: 0.5 ms. */
function compiledPolicy(machine: Machine): Buffer {
  let program = compiled.get(machine);
  if (program === undefined) {
    program = compileFilter(policyFilter(machine, defaultCapabilities), machine);
    compiled.set(machine, program);
  }
  return program;
}

function loadFilter(tape: Tape, program: Buffer): void {
  const description = tape.words([program.length / 8, tape.bytes(program)]); // struct sock_fprog
  tape.call('seccomp', [1, 0, description], { purpose: 'load the system call policy' }); // SECCOMP_SET_MODE_FILTER
}
