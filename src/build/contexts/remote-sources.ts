import type { GitUrl } from '../../dockerfile/index.ts';
import { BuildError } from '../error.ts';
import { type Facts, GitSource, type GitWanted } from './git/git-source.ts';
import type { KeptCommits } from './git/kept-commits.ts';
import { gitRemote } from './git/remote.ts';
import { UrlSource, type UrlWanted } from './http/url-source.ts';
import type { RemoteAccess } from './secrets.ts';

export interface RemoteSourcesOptions {
  readonly access: RemoteAccess;
  readonly facts: Facts;
  /** Commits of earlier builds. */
  readonly kept?: KeptCommits | undefined;
  /** Makes an empty folder that lives as long as the build. */
  readonly scratch: () => Promise<string>;
  readonly signal?: AbortSignal | undefined;
  /** The main context, where it is a repository: secrets for git that name no host are for its host alone. */
  readonly home?: GitUrl | undefined;
}

/** Who names a source: what the user names may use the user's own keys, what a Dockerfile names only those that it was given. */
export type NamedBy = 'user' | 'dockerfile';

/** What one build reads from elsewhere. The same thing is the same object, so it is asked for and fetched once. */
export class RemoteSources implements Disposable {
  readonly #options: RemoteSourcesOptions;
  readonly #over = new AbortController();
  readonly #git = new Map<string, GitSource>();
  readonly #urls = new Map<string, UrlSource>();
  readonly #home: string | undefined;

  constructor(options: RemoteSourcesOptions) {
    const { home, signal } = options;
    const signals = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]);
    this.#options = { ...options, signal: signals };
    this.#home = home === undefined ? undefined : gitRemote(home.transport, home.remote).origin;
  }

  /** Ends what is still being fetched: nobody waits for it any more. */
  [Symbol.dispose](): void {
    this.#over.abort(new BuildError('CANCELLED', 'the build is over'));
  }

  git(wanted: GitWanted, namedBy: NamedBy): GitSource {
    const key = JSON.stringify([wanted, namedBy]);
    const known = this.#git.get(key);
    if (known !== undefined) return known;
    const { access, facts, kept, scratch, signal, home } = this.#options;
    const source = new GitSource(wanted, {
      access,
      facts,
      kept,
      scratch,
      signal,
      ssh: async () => {
        const own = namedBy === 'user' ? process.env['SSH_AUTH_SOCK'] : undefined;
        return { agent: (await access.sshAgent()) ?? own, ownKeys: namedBy === 'user' };
      },
      anyHost: (origin) => home === undefined || origin === this.#home,
    });
    this.#git.set(key, source);
    return source;
  }

  /** @throws BuildError DOWNLOAD_FAILED for what is no URL */
  url(wanted: UrlWanted): UrlSource {
    const key = JSON.stringify(wanted);
    const known = this.#urls.get(key);
    if (known !== undefined) return known;
    const source = new UrlSource(wanted, this.#options);
    this.#urls.set(key, source);
    return source;
  }
}
