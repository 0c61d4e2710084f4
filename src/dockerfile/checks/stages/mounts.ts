import { DockerfileError } from '../../error.ts';
import type { RunCommand } from '../../instructions/command.ts';
import { type Mount, parseMount } from '../../instructions/mount.ts';
import { cleanPath } from '../../stage-graph/paths.ts';

const known = new WeakMap<RunCommand, readonly Mount[]>();

/** The mounts of a RUN as written; one that cannot be read without its variables is none. */
export function mountsOf(command: RunCommand): readonly Mount[] {
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
  return mountsOf(command).some(({ type, target }) => {
    if (type === 'secret' || type === 'ssh') return false;
    const mounted = cleanPath(target);
    return folders.some((folder) => folder === mounted || folder.startsWith(`${mounted}/`));
  });
}
