import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Kills every process that sees a mount of this bundle: its rootfs, or the bundle's hosts file bound over its own. Only
 * processes of that container do, because rootfs is mounted in the private mounts of a build thread. Nothing that a step does
 * hides it from this: neither another user, session or parent, nor what its runtime had or had not written down yet.
 */
export async function killStrays(bundle: string): Promise<void> {
  const seen = mountsOf(bundle);
  await repeatUntilDone(() => {
    const strays = processes().filter((pid) => readMounts(pid).some((mount) => seen(mount)));
    for (const pid of strays) kill(pid);
    return strays.length === 0;
  });
}

/** Sends SIGKILL; a process that has ended is no error. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The kernel takes a moment to end what was killed: tries for some seconds, and then leaves it. */
export async function repeatUntilDone(attempt: () => boolean): Promise<void> {
  for (let wait = 1; !attempt() && wait < 2000; wait *= 2) await delay(wait);
}

/** A line of proc(5) mountinfo, paths with its escapes. */
interface Mount {
  readonly device: string;
  /** The folder of the file system that is shown. */
  readonly root: string;
  readonly point: string;
}

function mountsOf(bundle: string): (mount: Mount) => boolean {
  const path = escaped(realpathSync(bundle));
  const home = readMounts('self')
    .filter(({ point }) => isWithin(path, point))
    .reduce((a, b) => (b.point.length >= a.point.length ? b : a));
  const inner = join(home.root, path.slice(home.point === '/' ? 0 : home.point.length));
  return ({ device, root, point }) => isWithin(point, path) || (device === home.device && isWithin(root, inner));
}

function readMounts(pid: number | 'self'): readonly Mount[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/mountinfo`, 'latin1');
  } catch {
    return []; // it has ended, or is somebody's whose processes we may not see
  }
  return text.split('\n').flatMap((line) => {
    const [, , device, root, point] = line.split(' ');
    return device === undefined || root === undefined || point === undefined ? [] : [{ device, root, point }];
  });
}

function processes(): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => pid !== process.pid);
}

function isWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

function join(root: string, rest: string): string {
  return root === '/' ? rest : root + rest;
}

function escaped(path: string): string {
  const bytes = Buffer.from(path).toString('latin1');
  return bytes.replace(/[ \t\n\\]/g, (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
