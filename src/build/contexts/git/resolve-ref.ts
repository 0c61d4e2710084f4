import { BuildError } from '../../error.ts';
import { type GitRun, runGit } from './run-git.ts';

/** What a name of a repository stands for now. */
export interface ResolvedRef {
  /** The commit; of an annotated tag, the one that it is for. */
  readonly commit: string;
  /** What the name points at itself: the commit, or an annotated tag. */
  readonly object: string;
  /** Full name; undefined where a commit was asked for. */
  readonly name: string | undefined;
}

export interface WantedRef {
  /** Branch, tag, full name or commit; empty for the default branch. */
  readonly ref: string;
  /** Hexadecimal digits with which the commit, or the tag, must begin. */
  readonly checksum: string | undefined;
  /** The checksum is the commit, whatever the name stands for now. */
  readonly fetchByCommit: boolean;
}

/** Whether a ref is a whole commit id, of SHA-1 or SHA-256. */
export function isCommit(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/**
 * Asks the repository what a name stands for; of a branch and a tag with one name the branch is meant, as git checks out. A whole commit
 * is not asked for.
 * @param url free of credentials
 * @throws BuildError CONTEXT_INVALID, CHECKSUM_MISMATCH, GIT_FAILED
 */
export async function resolveRef(url: string, wanted: WantedRef, run: GitRun): Promise<ResolvedRef> {
  const { ref, checksum } = wanted;
  checkRef(ref);
  if (checksum !== undefined && !/^[0-9a-f]{1,64}$/i.test(checksum)) {
    throw invalid(`invalid checksum ${JSON.stringify(checksum)} for a git repository: a commit is hexadecimal digits`);
  }
  const whole = wholeCommit(wanted);
  if (whole !== undefined) {
    checkSum(checksum, { commit: whole, object: whole });
    return { commit: whole, object: whole, name: isCommit(ref) ? undefined : branchName(ref) };
  }
  const listed = await list(url, ref, run);
  const found = pick(listed, ref);
  if (found === undefined) {
    const what = ref === '' ? 'a default branch' : `the reference ${ref}`;
    throw new BuildError('GIT_FAILED', `${url} does not have ${what}`, {
      hint: 'it can be a branch, a tag, a full name such as refs/pull/1/head, or a whole commit',
    });
  }
  checkSum(checksum, found);
  return found;
}

/** The commit that needs no asking. */
function wholeCommit({ ref, checksum, fetchByCommit }: WantedRef): string | undefined {
  if (isCommit(ref)) return ref;
  const whole = checksum !== undefined && isCommit(checksum.toLowerCase()) ? checksum.toLowerCase() : undefined;
  if (ref === '' && whole !== undefined) return whole;
  if (!fetchByCommit) return undefined;
  if (whole === undefined) throw invalid('fetch-by-commit needs a whole commit as reference or checksum');
  return whole;
}

function branchName(ref: string): string | undefined {
  if (ref === '') return undefined;
  return ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
}

/**
 * A name that git would take as something else is none: an option, a range, a pattern (git-check-ref-format(1)).
 * @throws BuildError CONTEXT_INVALID
 */
function checkRef(ref: string): void {
  const bad =
    /^-|^\/|\/$|\/\/|\.\.|@\{|\.$|\.lock(?:\/|$)|[\p{Cc}\s~^:?*[\\]/u.test(ref) ||
    ref.split('/').some((part) => part.startsWith('.') || part.startsWith('-'));
  if (bad || ref.length > 1024) throw invalid(`not the name of a git reference: ${JSON.stringify(ref.slice(0, 200))}`);
}

interface Listed {
  readonly ids: ReadonlyMap<string, string>;
  /** What HEAD is a name for. */
  readonly head: string | undefined;
}

async function list(url: string, ref: string, run: GitRun): Promise<Listed> {
  const names = ref === '' || ref === 'HEAD' ? ['HEAD'] : namesOf(ref).flatMap((name) => [name, `${name}^{}`]);
  const output = await runGit(['ls-remote', '--quiet', '--symref', '--', url, ...names], run);
  const ids = new Map<string, string>();
  let head: string | undefined;
  for (const line of output.split('\n')) {
    const [left = '', name = ''] = line.split('\t');
    if (left.startsWith('ref: ')) head = name === 'HEAD' ? left.slice(5) : head;
    else if (isCommit(left)) ids.set(name, left);
  }
  return { ids, head };
}

/** Full names that a name may be short for, the likelier first. */
function namesOf(ref: string): readonly string[] {
  if (ref.startsWith('refs/')) return [ref];
  return [`refs/${ref}`, `refs/heads/${ref}`, `refs/tags/${ref}`];
}

function pick({ ids, head }: Listed, ref: string): ResolvedRef | undefined {
  if (ref === '' || ref === 'HEAD') {
    const commit = ids.get('HEAD');
    const name = head?.startsWith('refs/heads/') && isSafe(head) ? head : undefined;
    return commit === undefined ? undefined : { commit, object: commit, name };
  }
  const name = namesOf(ref).find((each) => ids.has(each));
  const object = name === undefined ? undefined : ids.get(name);
  return object === undefined ? undefined : { commit: ids.get(`${name}^{}`) ?? object, object, name };
}

/** The server says what HEAD stands for; not everything that it may say is a name (`-x`). */
function isSafe(name: string): boolean {
  try {
    checkRef(name);
    return true;
  } catch {
    return false;
  }
}

function checkSum(checksum: string | undefined, { commit, object }: Pick<ResolvedRef, 'commit' | 'object'>): void {
  if (checksum === undefined) return;
  const wanted = checksum.toLowerCase();
  if (commit.startsWith(wanted) || object.startsWith(wanted)) return;
  const got = commit === object ? commit : `${object} or ${commit}`;
  throw new BuildError('CHECKSUM_MISMATCH', `expected checksum to match ${checksum}, got ${got}`);
}

function invalid(message: string): BuildError {
  return new BuildError('CONTEXT_INVALID', message);
}
