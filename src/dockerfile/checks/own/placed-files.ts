import { posix } from 'node:path';
import { hasWildcards } from '../../glob.ts';
import type { CopyCommand } from '../../instructions/command.ts';
import { cleanPath } from '../../stage-graph/paths.ts';

/**
 * The paths at which a COPY's sources are afterwards, where text tells (no variables, no patterns). A folder's content is
 * at its path only if the destination is not written as a folder.
 */
export function placedFiles({ sources, destination, parents }: CopyCommand, folder: string | undefined): string[] {
  const target = destinationOf(destination, folder);
  if (parents || target === undefined) return [];
  const intoFolder = sources.length > 1 || /(?:^|\/)\.{0,2}$/.test(destination);
  return sources.flatMap((source) => {
    if (/[$\\]|:\/\//.test(source) || hasWildcards(source)) return [];
    return [posix.normalize(intoFolder ? `${target}/${posix.basename(source)}` : target)];
  });
}

/** The destination as an absolute path without a slash at its end; undefined where only the build can tell. */
export function destinationOf(destination: string, folder: string | undefined): string | undefined {
  if (/[$\\"']/.test(destination)) return undefined;
  if (destination.startsWith('/')) return cleanPath(destination);
  return folder === undefined ? undefined : cleanPath(`${folder}/${destination}`);
}
