import { createReadStream, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { type GitUrl, parseBoolean, parseGitContext } from '../../dockerfile/index.ts';
import type { Privileges } from '../../system/index.ts';
import { BuildError } from '../error.ts';
import { mayBeArchive } from '../copy/packing.ts';
import type { OnBuildEvent } from '../events.ts';
import type { BuildRequest } from '../request.ts';
import { announced } from './announce.ts';
import { isArchiveFile, peek, unpackContext, unpackContextFile } from './archive.ts';
import { findDockerfile, readDockerfileText, readText } from './dockerfile-file.ts';
import { shownGit } from './git/remote.ts';
import { cleanCommitTime } from './git/work-tree.ts';
import { shownUrl } from './http/shown-url.ts';
import { readIgnore } from './ignore-file.ts';
import type { RemoteSources } from './remote-sources.ts';

/** The Dockerfile's text and the tree that COPY reads. */
export interface OpenContext {
  readonly dockerfile: {
    readonly name: string;
    readonly text: Buffer;
    /** Absent for one from standard input. */
    readonly path?: string;
  };
  /** Absolute path of the main context's folder; undefined where there is none (a Dockerfile on standard input alone). */
  readonly folder: string | undefined;
  readonly ignore: readonly string[];
  /** What stands for the content where that cannot change under us: of a commit, of a download. */
  readonly identity?: string | undefined;
  /** As of a ContextTree. */
  readonly time?: (() => Promise<number | undefined>) | undefined;
}

/** What of a build decides which files are opened. */
export type ContextRequest = Pick<BuildRequest, 'context' | 'dockerfile' | 'stdin' | 'buildArgs'>;

export interface ContextOptions {
  readonly privileges: Privileges;
  /** Makes an empty folder that lives as long as the build. */
  readonly scratch: () => Promise<string>;
  /** What fetches a context from elsewhere; without it a context is a path. */
  readonly remote?: RemoteSources | undefined;
  readonly onEvent?: OnBuildEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The repository that a main context is; undefined where it is something else. What lies on this machine under the name comes first. */
export function gitContext({ context }: Pick<BuildRequest, 'context'>): GitUrl | undefined {
  if (context === '-' || isHere(context)) return undefined;
  return parseGitContext(context);
}

/** No file has a name that the system refuses: longer than it knows, or with a NUL in it. */
function isHere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== 'ENAMETOOLONG' && code !== 'ERR_INVALID_ARG_VALUE';
  }
}

/**
 * Opens the main context and finds the Dockerfile: a folder, an archive, standard input, a git repository, a URL.
 * @throws BuildError CONTEXT_NOT_FOUND, CONTEXT_INVALID, DOCKERFILE_NOT_FOUND, GIT_FAILED, DOWNLOAD_FAILED
 */
export async function openContext(request: ContextRequest, options: ContextOptions): Promise<OpenContext> {
  const { signal } = options;
  // Who is at the other end may never write, or close.
  const usesInput = request.context === '-' || request.dockerfile === '-';
  if (usesInput && signal !== undefined && request.stdin !== undefined) addAbortSignal(signal, request.stdin);
  if (request.context === '-') return openInput(request, options);
  const { remote } = options;
  if (remote === undefined) return openPath(request, options);
  const git = gitContext(request);
  const announce = (title: string) => ({ id: 'context', title: `[internal] ${title}`, onEvent: options.onEvent });
  if (git !== undefined) {
    const title = `load git source ${shownGit(git)}`;
    return announced(announce(title), () => openGit(git, request, remote));
  }
  if (/^https?:\/\//.test(request.context)) {
    const title = `load remote build context ${shownUrl(request.context)}`;
    return announced(announce(title), () => openUrl(request, { ...options, remote }));
  }
  return openPath(request, options);
}

async function openInput(request: ContextRequest, options: ContextOptions): Promise<OpenContext> {
  if (request.dockerfile === '-') {
    throw new BuildError('CONTEXT_INVALID', 'context and Dockerfile cannot both come from standard input', {
      exitCode: 125,
    });
  }
  const peeked = await peek(request.stdin ?? Readable.from([]));
  if (!mayBeArchive(peeked.head)) return aloneContext(await readText(peeked.stream));
  const label = 'the context on standard input';
  const folder = await unpackContext(peeked, { ...options, scratch: await options.scratch(), label });
  return openFolder(folder, request, { confined: true, ignores: true });
}

/** A Dockerfile that came without files. */
function aloneContext(text: Buffer): OpenContext {
  return { dockerfile: { name: 'Dockerfile', text }, folder: undefined, ignore: [] };
}

async function openPath(request: ContextRequest, options: ContextOptions): Promise<OpenContext> {
  const path = resolve(request.context);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    throw new BuildError('CONTEXT_NOT_FOUND', `unable to prepare context: path "${request.context}" not found`, {
      exitCode: 1,
    });
  }
  if (stats.isDirectory()) {
    const opened = await openFolder(path, request, { confined: false, ignores: true });
    return { ...opened, time: () => cleanCommitTime(path, options) };
  }
  if (!stats.isFile() || !isArchiveFile(path)) {
    throw new BuildError(
      'CONTEXT_INVALID',
      `unable to prepare context: path "${request.context}" is neither a folder nor an archive`,
    );
  }
  const scratch = await options.scratch();
  const folder = await unpackContextFile(path, { ...options, scratch, label: `the context ${request.context}` });
  return openFolder(folder, request, { confined: true, ignores: true });
}

async function openGit(url: GitUrl, request: ContextRequest, remote: RemoteSources): Promise<OpenContext> {
  const argument = request.buildArgs['BUILDKIT_CONTEXT_KEEP_GIT_DIR'];
  const keepGitDir = url.keepGitDir ?? (argument !== undefined && parseBoolean(argument) === true);
  const source = remote.git({ url, keepGitDir }, 'user');
  const identity = await source.identity();
  const opened = await openFolder(await source.open(), request, { confined: true, ignores: false });
  return { ...opened, identity, time: () => source.commitTime() };
}

type RemoteOptions = ContextOptions & { readonly remote: RemoteSources };

/** An archive is the context; anything else is a Dockerfile, with itself as the only file, as for docker. */
async function openUrl(request: ContextRequest, options: RemoteOptions): Promise<OpenContext> {
  const source = options.remote.url({ url: request.context, name: 'context' });
  const folder = await source.open();
  const identity = await source.identity();
  const path = join(folder, source.name);
  if (!isArchiveFile(path)) {
    const text =
      request.dockerfile === '-'
        ? await readText(request.stdin ?? Readable.from([]))
        : await readText(createReadStream(path));
    return { dockerfile: { name: 'Dockerfile', text }, folder, ignore: [], identity, time: () => source.time() };
  }
  const label = `the context ${shownUrl(request.context)}`;
  const tree = await unpackContext(await peek(createReadStream(path)), {
    ...options,
    scratch: await options.scratch(),
    label,
  });
  const opened = await openFolder(tree, request, { confined: true, ignores: false });
  return { ...opened, identity: JSON.stringify(['archive', identity]), time: () => source.time() };
}

interface FolderOptions {
  /** The Dockerfile is taken from the folder alone: it is not the user's own. */
  readonly confined: boolean;
  /** Whether .dockerignore counts: not in what was made to be a context elsewhere. */
  readonly ignores: boolean;
}

async function openFolder(
  folder: string,
  request: ContextRequest,
  { confined, ignores }: FolderOptions,
): Promise<OpenContext> {
  const ignoreOf = (dockerfile: string | undefined) => (ignores ? readIgnore(folder, dockerfile) : []);
  if (request.dockerfile === '-') {
    const text = await readText(request.stdin ?? Readable.from([]));
    return { dockerfile: { name: 'Dockerfile', text }, folder, ignore: await ignoreOf(undefined) };
  }
  const path = findDockerfile(folder, { wanted: request.dockerfile, confined });
  const text = await readDockerfileText(path);
  return {
    dockerfile: { name: basename(request.dockerfile ?? 'Dockerfile'), text, path },
    folder,
    ignore: await ignoreOf(request.dockerfile === undefined ? undefined : path),
  };
}
