import { lutimes, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '../../error.ts';
import { fetchCommit, type FetchPlace, hasCommit } from './fetch-commit.ts';
import type { KeptCommits } from './kept-commits.ts';
import type { ResolvedRef } from './resolve-ref.ts';
import { type GitRun, runGit } from './run-git.ts';
import { type Submodule, submoduleFolder, submodulesOf } from './submodules.ts';

/** A repository that can be reached. */
export interface Reached {
  /** Free of credentials. */
  readonly url: string;
  readonly run: GitRun;
}

export interface CheckOutOptions {
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  /** Commits of earlier builds. */
  readonly kept?: KeptCommits | undefined;
  /** Finds the way to a submodule's repository, with what may be shown there. */
  readonly reach: (submodule: Submodule) => Promise<Reached>;
}

const deepest = 10;
const mostSubmodules = 1000;

export interface CheckedOut {
  readonly commit: string;
  /** When it was committed; seconds since 1970. */
  readonly seconds: number;
}

/**
 * Fetches a commit and lays out its files in the empty folder `tree`, with submodules in their places. `scratch` is an empty folder for
 * repositories that are not kept.
 * @throws BuildError GIT_FAILED, CONTEXT_INVALID
 */
export async function checkOut(
  ref: ResolvedRef,
  from: Reached,
  options: CheckOutOptions & { readonly tree: string; readonly scratch: string },
): Promise<CheckedOut> {
  return new CheckOut(options).module(ref, from, { tree: options.tree, depth: 0 });
}

interface Place {
  readonly tree: string;
  readonly depth: number;
}

class CheckOut {
  readonly #options: CheckOutOptions & { readonly scratch: string };
  #count = 0;

  constructor(options: CheckOutOptions & { readonly scratch: string }) {
    this.#options = options;
  }

  async module(ref: ResolvedRef, { url, run }: Reached, { tree, depth }: Place): Promise<CheckedOut> {
    const { keepGitDir, scratch } = this.#options;
    const gitDir = keepGitDir ? join(tree, '.git') : join(scratch, `repository-${this.#count}.git`);
    await mkdir(tree, { recursive: true });
    const format = ref.object.length === 64 ? ['--object-format=sha256'] : [];
    const kind = keepGitDir ? [] : ['--bare'];
    // No template: a repository of ours starts without hooks.
    await runGit(['init', '--quiet', '--template=', ...format, ...kind, '--', keepGitDir ? tree : gitDir], {
      signal: run.signal,
    });
    const env = { GIT_DIR: gitDir, GIT_WORK_TREE: tree };
    const inTree: GitRun = { signal: run.signal, cwd: tree, env, config: [['core.bare', 'false']] };
    const place = { url, run: { ...run, cwd: tree, env: { ...run.env, GIT_DIR: gitDir } } };
    const kept = await this.#getObjects(ref, gitDir, place);
    try {
      return await this.#layOut(ref, { url, run: inTree }, { tree, depth, gitDir });
    } catch (error) {
      // So that the next build fetches it.
      if (kept) await this.#options.kept?.drop(ref.object);
      throw error;
    }
  }

  /** Whether they were kept from an earlier build. */
  async #getObjects(ref: ResolvedRef, gitDir: string, place: FetchPlace): Promise<boolean> {
    const { kept } = this.#options;
    if ((await kept?.give(ref.object, gitDir)) === true) {
      if (await hasCommit(ref.object, place.run)) return true;
      await kept?.drop(ref.object);
    }
    await fetchCommit(ref, place);
    await kept?.keep(ref.object, gitDir);
    return false;
  }

  async #layOut(
    ref: ResolvedRef,
    { url, run: inTree }: Reached,
    { tree, depth, gitDir }: Place & { readonly gitDir: string },
  ): Promise<CheckedOut> {
    const { keepGitDir } = this.#options;
    const commit = (
      await runGit(['rev-parse', '--verify', '--end-of-options', `${ref.object}^{commit}`], inTree)
    ).trim();
    const seconds = Number(await runGit(['log', '-1', '--format=%ct', commit, '--'], inTree));
    await runGit(['checkout', '--quiet', '--force', '--detach', commit, '--'], inTree);
    if (this.#options.submodules) await this.#submodules(commit, { url, run: inTree }, { tree, depth });
    if (keepGitDir) await tidy({ ...ref, commit }, { url, run: inTree }, gitDir);
    else await rm(gitDir, { recursive: true, force: true });
    return { commit, seconds };
  }

  async #submodules(commit: string, { url, run }: Reached, { tree, depth }: Place): Promise<void> {
    for (const submodule of await submodulesOf(commit, url, run)) {
      if (depth === deepest || ++this.#count > mostSubmodules) {
        throw new BuildError(
          'CONTEXT_INVALID',
          `the repository has too many submodules, or too deep: ${submodule.path}`,
        );
      }
      const ref = { commit: submodule.commit, object: submodule.commit, name: undefined };
      const folder = submoduleFolder(tree, submodule.path);
      await this.module(ref, await this.#options.reach(submodule), { tree: folder, depth: depth + 1 });
    }
  }
}

/** Leaves of `.git` what does not hang on when and how it was made: no journals, no times of files in the index, one name. */
async function tidy({ commit, object, name }: ResolvedRef, { url, run }: Reached, gitDir: string): Promise<void> {
  if (name?.startsWith('refs/heads/') || name?.startsWith('refs/tags/')) {
    await runGit(['update-ref', '--no-deref', name, object], run);
  }
  for (const ref of (await runGit(['for-each-ref', '--format=%(refname)', 'refs/slipway'], run)).split('\n')) {
    if (ref !== '') await runGit(['update-ref', '-d', ref], run);
  }
  await runGit(['config', 'remote.origin.url', url], run);
  await runGit(['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*'], run);
  for (const name of ['logs', 'FETCH_HEAD', 'ORIG_HEAD', 'index']) {
    await rm(join(gitDir, name), { recursive: true, force: true });
  }
  await runGit(['read-tree', commit], run);
}

/** Gives everything in a tree, and the tree itself, one time; seconds since 1970. Links are not followed. */
export async function setTimes(tree: Buffer, seconds: number): Promise<void> {
  for (const entry of await readdir(tree, { withFileTypes: true, encoding: 'buffer' })) {
    const path = Buffer.concat([tree, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) await setTimes(path, seconds);
    else await lutimes(path, seconds, seconds);
  }
  await lutimes(tree, seconds, seconds);
}
