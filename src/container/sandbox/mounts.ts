import type { Privileges } from '../../system/index.ts';
import { mountFlags } from '../../system/index.ts';
import { deviceLinks, devices, maskedPaths, readonlyPaths } from '../kernel-paths.ts';
import { defaultSecurity, defaultShmSize } from '../confinement.ts';
import { type PreparedMount, tmpfsOptions } from '../inner-mounts.ts';
import type { PreparedContainer } from '../prepare.ts';
import type { Tape } from './tape.ts';

const { readOnly, noSuid, noDev, noExec, remount, bind, recursive } = mountFlags;
const strictAtime = 1 << 24;
const currentDirectory = -100; // AT_FDCWD
const wholeTree = 0x8000; // AT_RECURSIVE

/** Bits of `struct mount_attr` are the same as those of mount(2) for these four. */
type Attributes = number;

/**
 * Everything a container has mounted but its root, as docker has it, with one difference. There is no device cgroup here, so
 * real root could make a node of the machine's disk and open it: therefore no file system of the sandbox allows devices, but
 * for the six files of /dev that are mounted one by one. (In a user namespace the kernel itself sees to that.)
 */
export function recordMounts(tape: Tape, container: PreparedContainer, privileges: Privileges): void {
  const isRealRoot = privileges.kind === 'root';
  const { limits, security = defaultSecurity } = container.spec.confinement ?? {};
  // An insecure step may use the machine's devices.
  const isGuarded = isRealRoot && !security.insecure;
  if (isGuarded) setAttributes(tape, '/', noDev);
  mountProc(tape);
  mountSys(tape, security.insecure ? 0 : readOnly);
  if (isRealRoot) mountOwnDevices(tape);
  else mountMachineDevices(tape);
  const replaced = new Set(container.mounts.map(({ path }) => path));
  mountDeviceFolders(tape, {
    group: privileges.kind !== 'single',
    shmSize: limits?.shmSize ?? defaultShmSize,
    replaced,
  });
  for (const mount of container.mounts) recordMount(tape, mount);
  if (isGuarded) setAttributes(tape, '/dev', noSuid | noDev);
  if (security.insecure || security.unmasked) return;
  for (const path of readonlyPaths) protectPath(tape, path);
  for (const path of maskedPaths) maskPath(tape, path);
}

function mountProc(tape: Tape): void {
  const flags = noSuid | noDev | noExec;
  const args = [tape.text('proc'), tape.text('/proc'), tape.text('proc'), flags, 0];
  // Where the machine's own /proc is partly hidden (in a container) a user namespace may not have one of its own.
  tape.call('mount', args, { purpose: 'mount /proc', tolerate: ['EPERM'], elseNext: true });
  bindFromMachine(tape, 'proc', '/proc');
}

/** A sysfs of its own takes the rights over the network namespace; else the machine's is shown. */
function mountSys(tape: Tape, protection: Attributes): void {
  const flags = noSuid | noDev | noExec | protection;
  const args = [tape.text('sysfs'), tape.text('/sys'), tape.text('sysfs'), flags, 0];
  tape.call('mount', args, { purpose: 'mount /sys', tolerate: ['EPERM'], elseNext: true });
  bindFromMachine(tape, 'sys', '/sys');
  setAttributes(tape, '/sys', protection | noSuid | noDev | noExec);
}

function mountDevTmpfs(tape: Tape): void {
  const options = 'mode=755,size=65536k';
  const args = [tape.text('tmpfs'), tape.text('/dev'), tape.text('tmpfs'), noSuid | strictAtime, tape.text(options)];
  tape.call('mount', args, { purpose: 'mount /dev' });
}

/** Nodes of its own: changing the mode of a bound one would change the machine's. */
function mountOwnDevices(tape: Tape): void {
  mountDevTmpfs(tape);
  for (const [name, major, minor] of devices) {
    const path = tape.text(`/dev/${name}`);
    const purpose = `make /dev/${name}`;
    tape.call('mknodat', [currentDirectory, path, 0o20666, (major << 8) | minor], { purpose });
    tape.call('mount', [path, path, 0, bind, 0], { purpose }); // keeps it usable when /dev becomes nodev
  }
}

function mountMachineDevices(tape: Tape): void {
  mountDevTmpfs(tape);
  for (const [name] of devices) {
    const purpose = `make /dev/${name}`;
    tape.call('mknodat', [currentDirectory, tape.text(`/dev/${name}`), 0o100666, 0], { purpose });
    tape.call('mount', [tape.text(`dev/${name}`), tape.text(`/dev/${name}`), 0, bind, 0], { purpose });
  }
}

function mountDeviceFolders(tape: Tape, options: DeviceFolderOptions): void {
  const pts = `newinstance,ptmxmode=0666,mode=0620${options.group ? ',gid=5' : ''}`;
  const flags = noSuid | noDev | noExec;
  const folders: readonly DeviceFolder[] = [
    { name: 'pts', type: 'devpts', flags: noSuid | noExec, data: pts },
    { name: 'shm', type: 'tmpfs', flags, data: `mode=1777,size=${options.shmSize}` },
    { name: 'mqueue', type: 'mqueue', flags, data: '' },
  ];
  for (const folder of folders) if (!options.replaced.has(`/dev/${folder.name}`)) mountDeviceFolder(tape, folder);
  for (const [name, target] of deviceLinks) {
    const args = [tape.text(target), currentDirectory, tape.text(`/dev/${name}`)];
    tape.call('symlinkat', args, { purpose: `make /dev/${name}` });
  }
}

interface DeviceFolderOptions {
  /** Whether group 5 (tty) can own terminals. */
  readonly group: boolean;
  /** Bytes. */
  readonly shmSize: number;
  /** Paths at which the step wants something else. */
  readonly replaced: ReadonlySet<string>;
}

interface DeviceFolder {
  readonly name: string;
  readonly type: string;
  readonly flags: number;
  readonly data: string;
}

function mountDeviceFolder(tape: Tape, { name, type, flags, data }: DeviceFolder): void {
  const purpose = `mount /dev/${name}`;
  const path = tape.text(`/dev/${name}`);
  tape.call('mkdirat', [currentDirectory, path, 0o755], { purpose });
  tape.call('mount', [tape.text(type), path, tape.text(type), flags, tape.text(data)], { purpose });
}

function recordMount(tape: Tape, mount: PreparedMount): void {
  if (mount.path.startsWith('/dev/')) makeTarget(tape, mount);
  if (mount.kind === 'bind') {
    bindFromMachine(tape, mount.source.slice(1), mount.path);
    setAttributes(tape, mount.path, noDev | (mount.readOnly ? readOnly : 0));
    return;
  }
  const data = tape.text(tmpfsOptions(mount));
  const args = [tape.text('tmpfs'), tape.text(mount.path), tape.text('tmpfs'), noSuid | noDev, data];
  tape.call('mount', args, { purpose: `mount ${mount.target}` });
}

/** In the new /dev nothing could be made beforehand. */
function makeTarget(tape: Tape, mount: PreparedMount): void {
  const purpose = `make ${mount.target}`;
  const parts = mount.path.split('/').slice(1);
  for (let depth = 2; depth <= parts.length; depth++) {
    const path = tape.text(`/${parts.slice(0, depth).join('/')}`);
    const isFile = depth === parts.length && !mount.isFolder;
    if (isFile) tape.call('mknodat', [currentDirectory, path, 0o100644, 0], { purpose, tolerate: ['EEXIST'] });
    else tape.call('mkdirat', [currentDirectory, path, 0o755], { purpose, tolerate: ['EEXIST'] });
  }
}

/** @param source relative to the machine's root, which is the working directory. */
function bindFromMachine(tape: Tape, source: string, target: string): void {
  const args = [tape.text(source), tape.text(target), 0, bind | recursive, 0];
  tape.call('mount', args, { purpose: `mount ${target}` });
}

/**
 * Adds attributes to a mount and all below it. Before Linux 5.12 the older way, which reaches the topmost alone and may not
 * keep those that a user namespace must keep.
 */
function setAttributes(tape: Tape, path: string, attributes: Attributes): void {
  const purpose = `protect ${path}`;
  const target = tape.text(path);
  const isRoot = path === '/' || path === '/dev';
  const description = tape.words([attributes, 0, 0, 0]); // struct mount_attr
  const args = [currentDirectory, target, isRoot ? 0 : wholeTree, description, 32];
  tape.call('mount_setattr', args, { purpose, tolerate: ['ENOSYS'], elseNext: true });
  tape.call('mount', [0, target, 0, remount | bind | attributes, 0], { purpose });
}

function protectPath(tape: Tape, path: string): void {
  const purpose = `protect ${path}`;
  const target = tape.text(path);
  const tolerate = ['ENOENT', 'EINVAL'] as const; // EINVAL: nothing was bound, because there is no such path
  tape.call('mount', [target, target, 0, bind | recursive, 0], { purpose, tolerate });
  const flags = remount | bind | readOnly | noSuid | noDev | noExec;
  tape.call('mount', [0, target, 0, flags, 0], { purpose, tolerate });
}

/** /dev/null over a file, an empty folder over a folder. */
function maskPath(tape: Tape, path: string): void {
  const purpose = `hide ${path}`;
  const target = tape.text(path);
  const over = [tape.text('/dev/null'), target, 0, bind, 0];
  tape.call('mount', over, { purpose, tolerate: ['ENOENT', 'ENOTDIR'], elseNext: true });
  const empty = [tape.text('tmpfs'), target, tape.text('tmpfs'), readOnly, tape.text('size=0k')];
  tape.call('mount', empty, { purpose, tolerate: ['ENOENT', 'ENOTDIR'] });
}
