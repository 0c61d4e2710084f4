import { createReadStream, type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { reasonOf } from '../../system/index.ts';
import { exactText, followInRoot, locate } from '../copy/tree.ts';
import { BuildError } from '../error.ts';

/** Dockerfiles and ignore files above this size are not read. */
export const maxText = 64 << 20;

type FileKind = Pick<Stats, 'isFile' | 'isDirectory'>;

/**
 * `-f` is taken from the working folder, else from the context (`confined`: from that alone); the default name from the context, never
 * through a link out of it.
 * @throws BuildError DOCKERFILE_NOT_FOUND
 */
export function findDockerfile(
  folder: string,
  { wanted, confined }: { readonly wanted: string | undefined; readonly confined: boolean },
): string {
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
    // Where a link leads to a name that is not UTF-8, its text would be another name, which may be a link out of the context.
    const path = found === undefined ? undefined : exactText(locate(folder, found.path));
    if (path !== undefined && found?.stats.isFile() && found.stats.size <= maxText) return path;
    other ??= path === undefined ? undefined : found?.stats;
  }
  throw new BuildError('DOCKERFILE_NOT_FOUND', `failed to read dockerfile: open ${name}: ${whyNot(other)}`, {
    hint: confined
      ? 'looked in the context; name another one with -f'
      : `looked in ${folder}; name another one with -f`,
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

/** @throws BuildError DOCKERFILE_NOT_FOUND, CONTEXT_INVALID */
export async function readDockerfileText(path: string): Promise<Buffer> {
  try {
    return statSync(path).isFIFO() ? await readText(createReadStream(path)) : await readFile(path);
  } catch (error) {
    throw error instanceof BuildError ? error : unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): BuildError {
  return new BuildError('DOCKERFILE_NOT_FOUND', `failed to read dockerfile: open ${path}: ${reasonOf(error)}`, {
    cause: error,
  });
}

/** A Dockerfile from a stream. @throws BuildError CONTEXT_INVALID */
export async function readText(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxText) throw new BuildError('CONTEXT_INVALID', `the Dockerfile is larger than ${maxText} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
