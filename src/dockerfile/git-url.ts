import { DockerfileError } from './error.ts';
import { parseBoolean } from './instructions/fields.ts';
import { quote } from './quote.ts';
import { cut } from './text.ts';

export type GitTransport = 'https' | 'http' | 'ssh' | 'git';

/** A git repository and what of it is meant. */
export interface GitUrl {
  readonly transport: GitTransport;
  /** What git connects to: no query, no fragment. May hold credentials. */
  readonly remote: string;
  /** Branch, tag, full name of a reference or commit; empty for the repository's default branch. */
  readonly ref: string;
  /** Clean and relative, free of `..`; empty for all of it. */
  readonly subdir: string;
  /** Hexadecimal digits with which the commit begins. */
  readonly checksum: string | undefined;
  /** Undefined where the URL does not say. */
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean;
  /** Whether files get the time of their commit. */
  readonly mtime: 'checkout' | 'commit';
  /** The checksum alone says what is fetched. */
  readonly fetchByCommit: boolean;
}

const scpStyle = /^([a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:(.*?))(?:\?(.*?))?(?:#(.*))?$/s;

/**
 * Reads `https://host/repo.git?tag=v1&subdir=x`, `git@host:repo#ref:subdir`, `ssh://…`, `git://…`. Undefined for what is no git
 * repository; http(s) URLs are one where their path ends in `.git`.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function parseGitUrl(source: string): GitUrl | undefined {
  const scheme = /^([a-zA-Z0-9]+):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const scp = source.startsWith('./') || source.startsWith('../') ? null : scpStyle.exec(source);
    if (scp === null) return undefined;
    return gitUrl({ transport: 'ssh', remote: scp[1] ?? '' }, { query: scp[3] ?? '', fragment: scp[4] ?? '' });
  }
  if (!URL.canParse(source)) return undefined;
  const url = new URL(source);
  if (scheme === 'http' || scheme === 'https') {
    if (!url.pathname.endsWith('.git')) return undefined;
  } else if (scheme !== 'ssh' && scheme !== 'git') return undefined;
  const options = { query: url.search.slice(1), fragment: decodePercent(url.hash.slice(1)) };
  url.search = '';
  url.hash = '';
  return gitUrl({ transport: scheme, remote: url.href }, options);
}

/**
 * As `parseGitUrl`; also `github.com/owner/repo`, which as the source of an instruction would be a path.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function parseGitContext(text: string): GitUrl | undefined {
  if (!text.startsWith('github.com/')) return parseGitUrl(text);
  const [place, fragment] = cut(text, '#') ?? [text, ''];
  const [path, query] = cut(place, '?') ?? [place, ''];
  return gitUrl({ transport: 'https', remote: `https://${path}` }, { query, fragment: decodePercent(fragment) });
}

/** Without percent encoding; with a stray percent sign as it is. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const flags: readonly string[] = ['keep-git-dir', 'submodules', 'fetch-by-commit'];
const texts: readonly string[] = ['ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', 'mtime'];

interface Options {
  readonly query: string;
  readonly fragment: string;
}

function gitUrl(repository: Pick<GitUrl, 'transport' | 'remote'>, { query, fragment }: Options): GitUrl {
  const values = readQuery(query);
  const [fragmentRef, fragmentDir] = cut(fragment, ':') ?? [fragment, ''];
  const mtime = values.get('mtime') ?? 'checkout';
  if (mtime !== 'checkout' && mtime !== 'commit') {
    throw invalid(`invalid mtime value: ${quote(mtime)} (must be "checkout" or "commit")`);
  }
  const ref = oneRef(values, fragmentRef);
  const subdir = oneSubdir(values, cleanSubdir(fragmentDir));
  const checksum = values.get('checksum') ?? values.get('commit');
  const commit = values.get('commit') ?? checksum;
  if (commit !== checksum) throw invalid(`checksum conflicts: ${quote(checksum ?? '')} vs ${quote(commit ?? '')}`);
  return {
    ...repository,
    ref,
    subdir: cleanSubdir(subdir),
    checksum,
    keepGitDir: flagOf(values, 'keep-git-dir'),
    submodules: flagOf(values, 'submodules') ?? true,
    mtime,
    fetchByCommit: flagOf(values, 'fetch-by-commit') ?? false,
  };
}

function readQuery(query: string): ReadonlyMap<string, string> {
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
  return values;
}

/** A flag without a value is set. */
function flagOf(values: ReadonlyMap<string, string>, key: string): boolean | undefined {
  const value = values.get(key);
  return value === undefined ? undefined : value === '' || parseBoolean(value) === true;
}

/** A reference may be said in several ways, but only one may be meant. */
function oneRef(values: ReadonlyMap<string, string>, fragmentRef: string): string {
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
  return refs[0] ?? '';
}

function oneSubdir(values: ReadonlyMap<string, string>, fragmentDir: string): string {
  const subdir = values.get('subdir');
  if (subdir !== undefined && fragmentDir !== '' && fragmentDir !== subdir) {
    throw invalid(`subdir conflicts: ${quote(fragmentDir)} vs ${quote(subdir)}`);
  }
  return subdir ?? fragmentDir;
}

/** `..` cannot lead above the repository. */
function cleanSubdir(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
