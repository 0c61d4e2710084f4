import { type Dirent, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { kill, repeatUntilDone } from '../strays.ts';

const root = '/sys/fs/cgroup';

/**
 * Kills what is in the cgroups of a container and removes them. `runc delete` does so for a container that it knows; one that
 * was killed while runc made it has cgroups already, but no state yet. They are looked for by name, because where a runtime
 * puts them depends on its version, on the cgroup of the process that ran it, and on that of each controller.
 */
export async function removeCgroups(id: string): Promise<void> {
  const found = cgroupsNamed(id);
  await repeatUntilDone(() => found.every(removeTree));
}

/** Whether the kernel ended something in the cgroups of a container for want of memory. They must be there still. */
export function ranOutOfMemory(id: string): boolean {
  return cgroupsNamed(id).some((folder) => {
    // v2 and v1; a file that is not there says nothing.
    const text = readOrEmpty(join(folder, 'memory.events')) + readOrEmpty(join(folder, 'memory.oom_control'));
    return /^oom_kill [1-9]/m.test(text);
  });
}

function cgroupsNamed(id: string): readonly string[] {
  const found: string[] = [];
  const open = [root];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const name of subfolders(folder)) (name === id ? found : open).push(join(folder, name));
  }
  return found;
}

/** False: something in it has not ended yet. */
function removeTree(folder: string): boolean {
  const empty = subfolders(folder).every((name) => removeTree(join(folder, name)));
  for (const pid of processesIn(folder)) kill(pid);
  try {
    rmdirSync(folder);
    return empty;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function processesIn(folder: string): readonly number[] {
  try {
    const lines = readFileSync(join(folder, 'cgroup.procs'), 'latin1').trim().split('\n');
    return lines.map(Number).filter((pid) => pid > 1);
  } catch {
    return []; // it is gone, or of a kind that cannot be read (threaded)
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function subfolders(folder: string): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // it is gone
  }
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
