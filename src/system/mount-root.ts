import fs from 'node:fs';
import path from 'node:path';
import { SystemError } from './error.ts';
import { loadSyscalls } from './load-syscalls.ts';
import { flagsOfOptions } from './mount-options.ts';
import { isPlainOverlayPath, longestOptions, type OverlayMount, overlayOptions } from './overlay-options.ts';
import { enterPrivateMounts } from './private-mounts.ts';
import type { RootMount } from './root-mount.ts';
import { mountFlags, umountFlags } from './syscalls.ts';
import { inDirectory } from './working-directory.ts';

/** How many mounts lie on a target, in this thread. */
const depths = new Map<string, number>();

/**
 * Mounts a root on the folder `target`, in the private mounts of this thread (`enterPrivateMounts`); the thread's working
 * directory is the same afterwards. Any number of layers up to the kernel's 500 will do.
 * @throws SystemError MOUNT_FORBIDDEN, SYSCALL_FAILED
 */
export function mountRoot(root: RootMount, target: string): void {
  enterPrivateMounts();
  const absolute = path.resolve(target);
  const before = depths.get(absolute) ?? 0;
  try {
    if (root.kind === 'directory') mountDirectory(root.path, absolute, { readOnly: root.readOnly });
    else mountOverlay(root, absolute);
  } catch (error) {
    unmountDownTo(before, absolute);
    throw explained(error, root);
  }
}

/** Takes away what `mountRoot` put there; what still uses it keeps it until it ends. Nothing there: nothing to do. */
export function unmountRoot(target: string): void {
  unmountDownTo(0, path.resolve(target));
}

function unmountDownTo(kept: number, target: string): void {
  for (let depth = depths.get(target) ?? 0; depth > kept; depth--) {
    loadSyscalls().umount(target, umountFlags.detach | umountFlags.noFollow);
    depths.set(target, depth - 1);
  }
  if (kept === 0) depths.delete(target);
}

function mountOverlay(root: OverlayMount, target: string): void {
  if (root.lowers.length === 0) {
    mountWithoutLowers(root, target);
    return;
  }
  // Overlay wants an upper or two lowers. A bind mount would not do for one: it would show the whiteouts in it.
  const needsEmpty = root.upper === undefined && root.lowers.length === 1;
  const paths = [...root.lowers, root.upper ?? 'none', root.work ?? 'none'];
  const fits = paths.every(isPlainOverlayPath) && Buffer.byteLength(overlayOptions(root)) <= longestOptions;
  const flags = root.upper === undefined ? mountFlags.readOnly : 0;
  const [where, ready] = fits && !needsEmpty ? [root.cwd, root] : stage(root, target);
  inDirectory(where, () => mount('overlay', target, 'overlay', flags, overlayOptions(ready)));
}

function mountWithoutLowers(root: OverlayMount, target: string): void {
  if (root.upper !== undefined) mountDirectory(path.resolve(root.cwd, root.upper), target, { readOnly: false });
  else mount('none', target, 'tmpfs', mountFlags.readOnly, 'mode=755,size=4k');
}

/**
 * Puts a small tmpfs on the target, below the overlay to come, that holds an empty lowest layer and short symbolic links to
 * all folders: hundreds of long names fit into the options that way, and no name there needs escaping.
 */
function stage(root: OverlayMount, target: string): [string, OverlayMount] {
  mount('none', target, 'tmpfs', mountFlags.noSuid | mountFlags.noDev | mountFlags.noExec, 'mode=755,size=1m');
  const link = (folder: string, name: string): string => {
    fs.symlinkSync(path.resolve(root.cwd, folder), path.join(target, name));
    return name;
  };
  const lowers = root.lowers.map((lower, index) => link(lower, index.toString(36)));
  if (root.upper === undefined) {
    fs.mkdirSync(path.join(target, '_e'));
    return [target, { ...root, cwd: target, lowers: [...lowers, '_e'] }];
  }
  const writable = { upper: link(root.upper, '_u'), work: link(root.work ?? '', '_w') };
  return [target, { ...root, cwd: target, lowers, ...writable }];
}

function mountDirectory(source: string, target: string, options: { readonly readOnly: boolean }): void {
  mount(source, target, null, mountFlags.bind, null);
  if (!options.readOnly) return;
  // A user namespace may not drop the flags of the mount below (EPERM), so they are kept.
  const flags = mountFlags.bind | mountFlags.remount | mountFlags.readOnly | flagsOfMount(target);
  loadSyscalls().mount('none', target, null, flags, null);
}

function mount(source: string, target: string, type: string | null, flags: number, data: string | null): void {
  loadSyscalls().mount(source, target, type, flags, data);
  depths.set(target, (depths.get(target) ?? 0) + 1);
}

/** The flags of the topmost mount on `target`, from proc(5) mountinfo of this thread: its namespace is its own. */
function flagsOfMount(target: string): number {
  const lines = fs.readFileSync('/proc/thread-self/mountinfo', 'utf8').split('\n').reverse();
  for (const line of lines) {
    const [, , , , point, options] = line.split(' ');
    if (point === undefined || options === undefined || unescapeOctal(point) !== target) continue;
    return flagsOfOptions(options);
  }
  return 0;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function explained(error: unknown, root: RootMount): unknown {
  if (!(error instanceof SystemError)) return error;
  const what = root.kind === 'overlay' ? 'an overlay' : 'a folder';
  if (error.errno === 'EPERM' || error.errno === 'EACCES') {
    return new SystemError('MOUNT_FORBIDDEN', `this process may not mount ${what}: ${error.message}`, {
      hint: 'run as root, or where user namespaces are allowed; overlays in one need Linux 5.11',
      errno: error.errno,
      cause: error,
    });
  }
  if (root.kind !== 'overlay') return error;
  return new SystemError('SYSCALL_FAILED', `cannot mount an overlay of ${root.cwd}: ${error.message}`, {
    hint: error.errno === 'ENODEV' ? 'the kernel lacks overlayfs: modprobe overlay' : undefined,
    errno: error.errno,
    cause: error,
  });
}
