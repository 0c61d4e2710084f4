import { createReadStream, lstatSync, type Stats, statSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { encodeText, ignoreFileNames, parseIgnore } from '../dockerfile/index.ts';
import { applyInWorker } from '../layer/index.ts';
import { type Privileges, reasonOf } from '../system/index.ts';
import { followInRoot, locate } from './copy/tree.ts';
import { BuildError } from './error.ts';
import type { BuildRequest } from './request.ts';

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
}

/** What of a build decides which files are opened. */
export type ContextRequest = Pick<BuildRequest, 'context' | 'dockerfile' | 'stdin'>;

/** Dockerfiles and ignore files above this size are not read. */
export const maxText = 64 << 20;

export interface ContextOptions {
  readonly privileges: Privileges;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the main context and finds the Dockerfile. `scratch` makes an empty folder for what comes through standard input.
 * @throws BuildError CONTEXT_NOT_FOUND, CONTEXT_INVALID, DOCKERFILE_NOT_FOUND
 */
export async function openContext(
  request: ContextRequest,
  scratch: () => Promise<string>,
  { privileges, signal }: ContextOptions,
): Promise<OpenContext> {
  // Who is at the other end may never write, or close.
  const usesInput = request.context === '-' || request.dockerfile === '-';
  if (usesInput && signal !== undefined && request.stdin !== undefined) addAbortSignal(signal, request.stdin);
  if (request.context !== '-') return openFolderContext(request);
  if (request.dockerfile === '-') {
    throw new BuildError('CONTEXT_INVALID', 'context and Dockerfile cannot both come from standard input', {
      exitCode: 125,
    });
  }
  const { head, stream } = await peek(request.stdin ?? Readable.from([]));
  if (!looksLikeArchive(head)) {
    return { dockerfile: { name: 'Dockerfile', text: await readAll(stream) }, folder: undefined, ignore: [] };
  }
  const folder = join(await scratch(), 'context');
  await mkdir(folder, { recursive: true });
  await applyInWorker(stream, folder, { privileges, whiteouts: 'literal', signal });
  return openFolderContext({ ...request, context: folder }, { confined: true });
}

async function openFolderContext(request: ContextRequest, options = { confined: false }): Promise<OpenContext> {
  const folder = resolve(request.context);
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) {
    const remote = /^(https?|git|ssh):\/\/|^git@|\.git(#|$)/.test(request.context);
    if (remote)
      throw new BuildError('UNSUPPORTED', `remote contexts are not supported yet: ${request.context}`, {
        hint: 'clone or download it, and name the folder',
      });
    throw new BuildError('CONTEXT_NOT_FOUND', `unable to prepare context: path "${request.context}" not found`, {
      exitCode: 1,
    });
  }
  if (!stats.isDirectory())
    throw new BuildError('CONTEXT_INVALID', `unable to prepare context: path "${request.context}" is not a folder`);
  if (request.dockerfile === '-') {
    const text = await readAll(request.stdin ?? Readable.from([]));
    return { dockerfile: { name: 'Dockerfile', text }, folder, ignore: await readIgnore(folder, undefined) };
  }
  const path = findDockerfile(folder, request.dockerfile, options.confined);
  const text = await readDockerfileText(path);
  return {
    dockerfile: { name: basename(request.dockerfile ?? 'Dockerfile'), text, path },
    folder,
    ignore: await readIgnore(folder, request.dockerfile === undefined ? undefined : path),
  };
}

type FileKind = Pick<Stats, 'isFile' | 'isDirectory'>;

/** `-f` is taken from the working folder, else from the context; the default name from the context, never through a link out of it. */
function findDockerfile(folder: string, wanted: string | undefined, confined: boolean): string {
  let other: FileKind | undefined;
  if (wanted !== undefined && !confined) {
    for (const candidate of isAbsolute(wanted) ? [wanted] : [resolve(wanted), join(folder, wanted)]) {
      const stats = statsOf(candidate);
      // A pipe comes of `-f <(program)`.
      if (stats?.isFile() || stats?.isFIFO()) return candidate;
      other ??= stats;
    }
  }
  const name = wanted ?? 'Dockerfile';
  const names = wanted === undefined ? [name, 'Containerfile'] : [name];
  for (const each of names) {
    const found = followInRoot(folder, Buffer.from(each).toString('latin1'));
    if (found?.stats.isFile() && found.stats.size <= maxText) return locate(folder, found.path).toString();
    other ??= found?.stats;
  }
  throw new BuildError('DOCKERFILE_NOT_FOUND', `failed to read dockerfile: open ${name}: ${whyNot(other)}`, {
    hint: `looked in ${folder}; name another one with -f`,
  });
}

/** Why what was found instead of a Dockerfile is none. */
function whyNot(stats: FileKind | undefined): string {
  if (stats === undefined) return 'no such file or directory';
  if (stats.isDirectory()) return 'is a directory';
  return stats.isFile() ? `larger than ${maxText} bytes` : 'not a regular file';
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readDockerfileText(path: string): Promise<Buffer> {
  try {
    return statSync(path).isFIFO() ? await readAll(createReadStream(path)) : await readFile(path);
  } catch (error) {
    throw error instanceof BuildError ? error : unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): BuildError {
  return new BuildError('DOCKERFILE_NOT_FOUND', `failed to read dockerfile: open ${path}: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** `<Dockerfile>.dockerignore` beside the Dockerfile wins over `.dockerignore` in the context. */
async function readIgnore(folder: string, dockerfile: string | undefined): Promise<readonly string[]> {
  const own = dockerfile ?? join(folder, 'Dockerfile');
  const [beside, common] = ignoreFileNames(own);
  for (const path of [beside, join(folder, common)]) {
    const stats: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    const found =
      dirname(path) === folder
        ? followInRoot(folder, Buffer.from(basename(path)).toString('latin1'))
        : { path: '', stats };
    if (!found?.stats.isFile() || found.stats.size > maxText) continue;
    return parseIgnore(await readFile(dirname(path) === folder ? locate(folder, found.path) : path, 'utf8'));
  }
  return [];
}

async function peek(stream: Readable): Promise<{ head: Buffer; stream: Readable }> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first: Buffer[] = [];
  let length = 0;
  while (length < 512) {
    const { value, done } = await iterator.next();
    if (done) break;
    first.push(Buffer.from(value));
    length += value.length;
  }
  const head = Buffer.concat(first);
  return {
    head,
    stream: Readable.from(
      (async function* () {
        if (head.length > 0) yield head;
        for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
      })(),
      { objectMode: false },
    ),
  };
}

function looksLikeArchive(head: Buffer): boolean {
  const magic = head.subarray(0, 6).toString('latin1');
  return (
    ['\x1f\x8b', '\x28\xb5\x2f\xfd', 'BZh', '\xfd7zXZ'].some((start) => magic.startsWith(start)) ||
    head.subarray(257, 262).toString('latin1') === 'ustar'
  );
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxText) throw new BuildError('CONTEXT_INVALID', `the Dockerfile is larger than ${maxText} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Writes a document of the Dockerfile itself (a heredoc) where COPY can take it from. */
export async function writeInline(folder: string, name: string, content: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), encodeText(content), { flag: 'wx' });
  await chmod(join(folder, name), 0o644); // whatever our umask
}
