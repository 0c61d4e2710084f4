import { DockerfileError } from '../../error.ts';
import type { RunCommand } from '../../instructions/command.ts';
import { type Mount, parseMount } from '../../instructions/mount.ts';
import { cleanPath } from '../../stage-graph/paths.ts';
import { maxPath } from './long-path.ts';

const known = new WeakMap<RunCommand, readonly Mount[]>();

/** The mounts of a RUN as written; one that cannot be read without its variables is none. */
export function mountsOf(command: RunCommand): readonly Mount[] {
  if (command.mounts.length === 0) return [];
  const found = known.get(command) ?? readMounts(command);
  known.set(command, found);
  return found;
}

function readMounts({ mounts }: RunCommand): Mount[] {
  return mounts.flatMap(({ text }) => {
    try {
      return [parseMount(text, (value) => value)];
    } catch (error) {
      if (error instanceof DockerfileError) return [];
      throw error;
    }
  });
}

/** Whether what a RUN writes below one of the folders stays out of its layer, by a cache, tmpfs or bind mount. */
export function isMountedOver(command: RunCommand, folders: readonly string[]): boolean {
  if (command.mounts.length === 0) return false; // as nearly everywhere
  const mounted = foldersOf(command);
  return mounted.size > 0 && folders.some((folder) => folder.length > maxPath || isBelow(folder, mounted));
}

const mountedFolders = new WeakMap<RunCommand, ReadonlySet<string>>();

function foldersOf(command: RunCommand): ReadonlySet<string> {
  const found = mountedFolders.get(command) ?? new Set(mountsOf(command).flatMap(mountedFolder));
  mountedFolders.set(command, found);
  return found;
}

function mountedFolder({ type, target }: Mount): string[] {
  return type === 'secret' || type === 'ssh' ? [] : [cleanPath(target)];
}

/** Whether a folder, or one above it, is among others. */
function isBelow(folder: string, others: ReadonlySet<string>): boolean {
  for (let path = folder; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) if (others.has(path)) return true;
  return false;
}
