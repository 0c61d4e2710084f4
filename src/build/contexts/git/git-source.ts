import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitUrl } from '../../../dockerfile/index.ts';
import type { KeptCommits } from './kept-commits.ts';
import type { RemoteAccess } from '../secrets.ts';
import { checkOut, type Reached, setTimes } from './check-out.ts';
import { explained, withRetries } from './fetch-commit.ts';
import { followRedirect } from './follow-redirect.ts';
import { accessTo, authorizationAt, type GitRemote, gitRemote, type SshSetting } from './remote.ts';
import { type ResolvedRef, resolveRef } from './resolve-ref.ts';
import { realFolder } from './submodules.ts';

/** A repository's state, as a context or a source of ADD asks for it. */
export interface GitWanted {
  readonly url: GitUrl;
  /** Instead of the URL's own. */
  readonly checksum?: string | undefined;
  readonly keepGitDir: boolean;
}

export interface GitSourceOptions {
  readonly access: RemoteAccess;
  /** How ssh remotes are reached; asked for only then. */
  readonly ssh: () => Promise<SshSetting>;
  /** Whether secrets that name no host are for this one too. */
  readonly anyHost: (origin: string | undefined) => boolean;
  readonly facts: Facts;
  /** Commits of earlier builds. */
  readonly kept?: KeptCommits | undefined;
  /** Makes an empty folder that lives as long as the build. */
  readonly scratch: () => Promise<string>;
  readonly signal?: AbortSignal | undefined;
}

/** What is remembered from one build to the next. */
export interface Facts {
  fact(kind: string, key: string): string | undefined;
  putFact(kind: string, key: string, value: string): void;
}

const noSsh: SshSetting = { ownKeys: false };

/** One state of a git repository: asked for, fetched and laid out when first wanted, each once. */
export class GitSource {
  readonly #wanted: GitWanted;
  readonly #options: GitSourceOptions;
  #reached: Promise<Reached> | undefined;
  #ref: Promise<ResolvedRef> | undefined;
  #folder: Promise<string> | undefined;

  constructor(wanted: GitWanted, options: GitSourceOptions) {
    this.#wanted = wanted;
    this.#options = options;
  }

  /**
   * What stands for the content: nothing but the commit and what is made of it, so an unchanged commit is known without its files.
   * @throws BuildError GIT_FAILED, GIT_MISSING, CONTEXT_INVALID, CHECKSUM_MISMATCH
   */
  async identity(): Promise<string> {
    const { url } = this.#wanted;
    const { commit, object, name } = await this.resolve();
    const repository = this.#keepsGitDir ? [object, name ?? '', (await this.#reach()).url] : [];
    return JSON.stringify(['git', commit, url.subdir, url.submodules, ...repository]);
  }

  /** What the reference stands for now. */
  resolve(): Promise<ResolvedRef> {
    return (this.#ref ??= this.#resolve());
  }

  /** The folder with the files; of a part of the repository, that part. */
  open(): Promise<string> {
    return (this.#folder ??= this.#open());
  }

  /** Seconds since 1970 at which the commit was made. */
  async commitTime(): Promise<number> {
    const { facts } = this.#options;
    const { commit } = await this.resolve();
    const known = facts.fact('commit-time', commit);
    if (known !== undefined) return Number(known);
    await this.open();
    return Number(facts.fact('commit-time', commit));
  }

  get #keepsGitDir(): boolean {
    // Of a part of a repository there is none to keep.
    return this.#wanted.keepGitDir && this.#wanted.url.subdir === '';
  }

  async #resolve(): Promise<ResolvedRef> {
    const { url, checksum = url.checksum } = this.#wanted;
    const reached = await this.#reach();
    try {
      const wanted = { ref: url.ref, checksum, fetchByCommit: url.fetchByCommit };
      return await withRetries(() => resolveRef(reached.url, wanted, reached.run), reached.run);
    } catch (error) {
      throw explained(error, reached.url);
    }
  }

  #reach(): Promise<Reached> {
    const remote = this.#remote();
    return (this.#reached ??= this.#way(remote, { anyHost: this.#options.anyHost(remote.origin) }));
  }

  #remote(): GitRemote {
    const { transport, remote } = this.#wanted.url;
    return gitRemote(transport, remote);
  }

  /** A repository says where its submodules are: elsewhere they get nothing that was not meant for that host. */
  #submoduleWay(named: GitRemote): Promise<Reached> {
    const { origin } = this.#remote();
    return this.#way(named, { anyHost: named.origin === origin && this.#options.anyHost(origin) });
  }

  async #way(named: GitRemote, { anyHost }: { readonly anyHost: boolean }): Promise<Reached> {
    const { access, ssh, signal } = this.#options;
    const given = await authorizationAt(named, access, { anyHost });
    const { remote, authorization } = await followRedirect({ remote: named, authorization: given }, signal);
    const setting = remote.transport === 'ssh' ? await ssh() : noSsh;
    return { url: remote.url, run: { ...accessTo(remote, authorization, setting), cwd: '/', signal } };
  }

  async #open(): Promise<string> {
    const { url } = this.#wanted;
    const ref = await this.resolve();
    const scratch = await this.#options.scratch();
    const tree = join(scratch, 'tree');
    await mkdir(tree, { mode: 0o755 });
    const { commit, seconds } = await checkOut(ref, await this.#reach(), {
      tree,
      scratch,
      keepGitDir: this.#keepsGitDir,
      submodules: url.submodules,
      kept: this.#options.kept,
      reach: (submodule) => this.#submoduleWay(gitRemote(submodule.transport, submodule.url)),
    });
    this.#options.facts.putFact('commit-time', commit, String(seconds));
    if (ref.commit !== commit) this.#options.facts.putFact('commit-time', ref.commit, String(seconds));
    const folder = realFolder(tree, url.subdir, `the folder ${JSON.stringify(url.subdir)}`);
    if (url.mtime === 'commit') await setTimes(Buffer.from(folder), seconds);
    return folder;
  }
}
