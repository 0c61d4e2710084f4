import { DockerfileError } from '../error.ts';
import { type GitUrl, parseGitUrl } from '../git-url.ts';
import type { AddSource } from '../graph.ts';
import { quote } from '../quote.ts';

/** Flags of the ADD that fetches it. */
export interface GitOptions {
  readonly keepGitDir: boolean | undefined;
  /** Empty where none is given. */
  readonly checksum: string;
}

/**
 * What ADD fetches, its flags and the URL's query taken together.
 * @throws DockerfileError INVALID_ARGUMENT where they contradict each other
 */
export function gitSource(url: string, git: GitUrl, { keepGitDir, checksum }: GitOptions): AddSource {
  if (keepGitDir !== undefined && git.keepGitDir !== undefined && keepGitDir !== git.keepGitDir) {
    throw invalid('inconsistent keep-git-dir configuration');
  }
  if (checksum !== '' && git.checksum !== undefined && checksum !== git.checksum) {
    throw invalid(`checksum mismatch ${quote(checksum)} != ${quote(git.checksum)}`);
  }
  const expected = git.checksum ?? (checksum === '' ? undefined : checksum);
  return {
    kind: 'git',
    url,
    ...(expected === undefined ? {} : { checksum: expected }),
    keepGitDir: git.keepGitDir ?? keepGitDir ?? false,
  };
}

/** Whether a source of ADD is downloaded. */
export function isUrlSource(source: string): boolean {
  return /^https?:\/\//.test(source) && parseGitUrl(source) === undefined;
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
