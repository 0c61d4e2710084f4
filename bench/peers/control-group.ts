import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

const top = '/sys/fs/cgroup';

/** Removes what a daemon leaves behind: the group and those below it, in every hierarchy. One that is in use stays. */
export async function removeControlGroup(path: string): Promise<void> {
  for (const hierarchy of ['', ...(await folders(top))]) await removeEmpty(join(top, hierarchy, path));
}

async function removeEmpty(folder: string): Promise<void> {
  for (const inner of await folders(folder)) await removeEmpty(join(folder, inner));
  await rmdir(folder).catch(() => undefined);
}

async function folders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
