import type { CopyCommand } from '../../instructions/command.ts';
import { parseGitUrl } from '../../git-url.ts';
import { isUrlSource } from '../../stage-graph/git-source.ts';

/** Whether COPY would do exactly what an ADD does. */
export function isPlain({ sources, files, checksum, keepGitDir, unpack }: CopyCommand): boolean {
  if (checksum !== '' || keepGitDir !== undefined || unpack !== undefined) return false;
  return sources.length + files.length > 0 && sources.every(isPlainSource);
}

const archive = /\.(?:tar|tgz|tbz2?|txz|tzst|tlz|gz|bz2|xz|zst|lzma|z)$/i;

/**
 * ADD unpacks by content, so a name has to tell: it has an ending that no archive has, or is a folder for sure.
 */
function isPlainSource(source: string): boolean {
  if (source.startsWith('$') || isUrlSource(source) || isGit(source)) return false;
  if (/^\.{0,2}\/?$|\/$/.test(source)) return true;
  const name = source.slice(source.lastIndexOf('/') + 1);
  const ending = /\.[A-Za-z][\w-]*$/.exec(name)?.[0];
  if (ending === undefined) return /^[\w-]+$/.test(name);
  return !archive.test(name) && !/[*?[\]$\\]/.test(ending);
}

function isGit(source: string): boolean {
  try {
    return parseGitUrl(source) !== undefined;
  } catch {
    return true;
  }
}
