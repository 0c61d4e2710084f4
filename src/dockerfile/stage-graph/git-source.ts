import { DockerfileError } from '../error.ts';
import type { AddSource } from '../graph.ts';
import { parseBoolean } from '../instructions/fields.ts';
import { quote } from '../quote.ts';
import { cut } from '../text.ts';

/** What a git URL says beside the repository. */
export interface GitSource {
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean | undefined;
}

const scpStyle = /^[a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:(.*?)(?:\?(.*?))?(?:#.*)?$/s;

/**
 * Whether a source of ADD is a git repository, and what its query says: `https://host/repo.git?tag=v1&subdir=x`,
 * `git@host:repo#ref:subdir`, `ssh://…`, `git://…`.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function parseGitSource(source: string): GitSource | undefined {
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const scp = source.startsWith('./') || source.startsWith('../') ? null : scpStyle.exec(source);
    return scp === null ? undefined : readQuery(scp[2] ?? '', '');
  }
  if (!URL.canParse(source)) return undefined;
  const url = new URL(source);
  if (scheme === 'http' || scheme === 'https') {
    if (!url.pathname.endsWith('.git')) return undefined;
  } else if (scheme !== 'ssh' && scheme !== 'git') return undefined;
  return readQuery(url.search.slice(1), decode(url.hash.slice(1)));
}

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
export function gitSource(url: string, git: GitSource, { keepGitDir, checksum }: GitOptions): AddSource {
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
  return /^https?:\/\//.test(source) && parseGitSource(source) === undefined;
}

/** The name that a download gets in a folder: the last part of its path. */
export function urlFileName(url: string): string {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  const name = path.split('/').findLast((part) => part !== '' && part !== '.') ?? '';
  const decoded = decode(name);
  // An encoded slash must not lead elsewhere (`%2e%2e%2fetc`).
  const unsafe = decoded === '' || decoded === '..' || decoded.includes('/') || decoded.includes('\u0000');
  return unsafe ? '__unnamed__' : decoded;
}

/** Without percent encoding; with a stray percent sign as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const flags: readonly string[] = ['keep-git-dir', 'submodules', 'fetch-by-commit'];
const texts: readonly string[] = ['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', 'mtime'];

function readQuery(query: string, fragment: string): GitSource {
  const values = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (values.has(key)) throw invalid(`query ${quote(key)} has multiple values`);
    if (!flags.includes(key) && !texts.includes(key)) throw invalid(`unexpected query ${quote(key)}`);
    if (value === '' && !flags.includes(key)) throw invalid(`query ${quote(key)} has no value`);
    values.set(key, value);
  }
  for (const key of flags) {
    const value = values.get(key);
    if (value !== undefined && value !== '' && parseBoolean(value) === undefined) {
      throw invalid(`invalid ${key} value: ${quote(value)}`);
    }
  }
  const mtime = values.get('mtime') ?? 'checkout';
  if (mtime !== 'checkout' && mtime !== 'commit') {
    throw invalid(`invalid mtime value: ${quote(mtime)} (must be "checkout" or "commit")`);
  }
  checkReferences(values, fragment);
  const keep = values.get('keep-git-dir');
  const checksum = values.get('checksum') ?? values.get('commit');
  const commit = values.get('commit') ?? checksum;
  if (commit !== checksum) throw invalid(`checksum conflicts: ${quote(checksum ?? '')} vs ${quote(commit ?? '')}`);
  return {
    checksum,
    keepGitDir: keep === undefined ? undefined : keep === '' || parseBoolean(keep) === true,
  };
}

/** A reference may be said in several ways, but only one may be meant. */
function checkReferences(values: ReadonlyMap<string, string>, fragment: string): void {
  const [fragmentRef, fragmentDir = ''] = cut(fragment, ':') ?? [fragment];
  const tag = values.get('tag');
  const branch = values.get('branch');
  if (tag !== undefined && branch !== undefined) throw invalid('branch conflicts with tag');
  const full = (prefix: string, name: string) => (name.startsWith(prefix) ? name : prefix + name);
  const refs = [
    fragmentRef,
    values.get('ref') ?? '',
    tag === undefined ? '' : full('refs/tags/', tag),
    branch === undefined ? '' : full('refs/heads/', branch),
  ].filter((ref) => ref !== '');
  for (const ref of refs) {
    if (ref !== refs[0]) throw invalid(`ref conflicts: ${quote(refs[0] ?? '')} vs ${quote(ref)}`);
  }
  const subdir = values.get('subdir');
  if (subdir !== undefined && fragmentDir !== '' && fragmentDir !== subdir) {
    throw invalid(`subdir conflicts: ${quote(fragmentDir)} vs ${quote(subdir)}`);
  }
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
