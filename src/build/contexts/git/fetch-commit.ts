import { setTimeout as pause } from 'node:timers/promises';
import { BuildError } from '../../error.ts';
import type { ResolvedRef } from './resolve-ref.ts';
import { GitFailure, type GitRun, runGit } from './run-git.ts';

/** A place for a repository: `run` has GIT_DIR and what reaches the remote. */
export interface FetchPlace {
  /** Free of credentials. */
  readonly url: string;
  readonly run: GitRun;
}

const wanted = 'refs/slipway/wanted';
const attempts = 3;
const fetch = ['fetch', '--progress', '--no-tags', '--no-recurse-submodules', '--update-shallow'];

/** What a server says that has the commit but does not give it in this way. */
const notThisWay =
  /not our ref|unadvertised object|dumb http transport|shallow|(?:couldn't find|no such) remote ref|did not send all necessary objects|not a valid object/i;
/** What passes by itself. */
const passing =
  /could not resolve host|connection (?:reset|refused|timed out)|operation timed out|early EOF|RPC failed|hung up unexpectedly|unexpected disconnect|returned error: (?:429|5\d\d)|empty reply|ssl_error_syscall/i;

/**
 * Fetches one commit without its history, into a repository that was just made: by its id, else by its name, else with all of the
 * repository, as servers of plain files and old ones need it.
 * @throws BuildError GIT_FAILED
 */
export async function fetchCommit({ object, name }: ResolvedRef, { url, run }: FetchPlace): Promise<void> {
  const one = ['--depth=1', '--', url];
  const ways = [
    [...one, `+${object}:${wanted}`],
    ...(name === undefined ? [] : [[...one, `+${name}:${wanted}`]]),
    [
      '--',
      url,
      '+refs/heads/*:refs/slipway/heads/*',
      '+refs/tags/*:refs/slipway/tags/*',
      ...(name === undefined ? [] : [`+${name}:${wanted}`]),
    ],
  ];
  let failure: unknown;
  for (const way of ways) {
    try {
      await withRetries(() => runGit([...fetch, ...way], run), run);
    } catch (error) {
      if (!(error instanceof GitFailure) || !notThisWay.test(error.stderr)) throw explained(error, url);
      failure = error;
      continue;
    }
    if (await hasCommit(object, run)) return;
    failure = new BuildError('GIT_FAILED', `${url} does not give the commit ${object}`, {
      hint: name === undefined ? undefined : `${name} may have moved meanwhile: try again`,
    });
  }
  throw explained(failure, url);
}

/** Repeats what failed for a reason that passes. */
export async function withRetries<T>(work: () => Promise<T>, { signal }: GitRun): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts || !(error instanceof GitFailure) || !passing.test(error.stderr)) throw error;
      await pause(250 * 4 ** attempt, undefined, { signal });
    }
  }
}

/** Whether a repository has a commit, or a tag of one. */
export async function hasCommit(object: string, run: GitRun): Promise<boolean> {
  try {
    await runGit(['cat-file', '-e', `${object}^{commit}`], run);
    return true;
  } catch (error) {
    if (error instanceof GitFailure) return false;
    throw error;
  }
}

const unauthorized =
  /could not read (?:username|password)|authentication failed|terminal prompts disabled|returned error: 40[13]|permission denied|repository not found/i;

/** Says which repository a failure is about, and what lets us in where that is what is missing. */
export function explained(error: unknown, url: string): unknown {
  if (!(error instanceof GitFailure)) return error;
  const { stderr, details } = error;
  const options = { cause: error, details };
  if (/host key verification failed/i.test(stderr)) {
    const hint = 'check its key, and add it to ~/.ssh/known_hosts (ssh-keyscan shows it)';
    return new BuildError('GIT_FAILED', `the host of ${url} is not known`, { ...options, hint });
  }
  if (unauthorized.test(stderr)) {
    const host = URL.parse(url)?.host;
    const hint =
      host === undefined || !url.startsWith('http')
        ? 'load a key that it accepts into your ssh agent, and give it with --ssh default'
        : `if it is private, give a token with --secret id=GIT_AUTH_TOKEN.${host}`;
    return new BuildError('GIT_FAILED', `${url} is not there, or does not let us in`, { ...options, hint });
  }
  return new BuildError('GIT_FAILED', `cannot fetch ${url}: ${error.message}`, options);
}
