import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { applyLayer, type LayerError, listEntries } from '../../layer/index.ts';
import { BuildError } from '../error.ts';
import { contentDigest } from './digest.ts';
import { mayBeArchive, packedBy, startUnpacking } from './packing.ts';
import type { Selected } from './select.ts';
import { locate, openFolder, statsOf, textOf } from './tree.ts';
import { isExcluded } from './visit.ts';
import { ChildOfRoot } from './walk.ts';
import { type CopyInto, makeFolders } from './write.ts';

export interface UnpackInto extends CopyInto {
  /** `auto`: what is in a context, not what was fetched. */
  readonly unpack: 'auto' | 'always';
  readonly signal: AbortSignal;
}

/**
 * ADD's unpacking: every selected file that is a tar archive by its content (plain, gzip, zstd, bzip2, xz; the name does not count)
 * is unpacked into the destination. Returns what is left to be copied.
 * @throws BuildError ARCHIVE_INVALID
 */
export async function unpackArchives(sources: readonly Selected[], into: UnpackInto): Promise<readonly Selected[]> {
  const rest: Selected[] = [];
  for (const selected of sources) {
    const kept = into.unpack === 'auto' && selected.fetched === true;
    const copied =
      kept || !selected.stats.isFile() || isExcluded(selected, into.exclude) || !(await isArchive(selected));
    if (copied) rest.push(selected);
    else await unpackSummed(selected, into);
  }
  return rest;
}

/** An archive is read more than once, so its digest counts only if nobody wrote to it from before the first time till after the last. */
async function unpackSummed(selected: Selected, into: UnpackInto): Promise<void> {
  if (into.sum === undefined) return unpackOne(selected, into);
  const { name, tree, path } = selected;
  const at = locate(tree.root, path);
  const stats = statsOf(at);
  const content = contentDigest(at);
  await unpackOne(selected, into);
  // Two writes within one tick of the clock leave the same time; that the content came back to what it was, too, is beyond chance.
  if (!isDeepStrictEqual(statsOf(at), stats) || contentDigest(at) !== content) {
    throw new BuildError('ARCHIVE_INVALID', `ADD cannot unpack ${textOf(name)}: it changed meanwhile`, {
      hint: 'build again when nobody writes to it',
    });
  }
  into.sum.add(selected, { path: name, child: new ChildOfRoot(tree.root, path, { name, stats }), stats }, content);
}

async function unpackOne(selected: Selected, into: UnpackInto): Promise<void> {
  // By its descriptor: a name that is not UTF-8 would as text be another one, which may be a link out of the root.
  const folder = openFolder(into.root, makeFolders(into.destination, into));
  try {
    await applyLayer(openArchive(selected), `/proc/self/fd/${folder}/.`, {
      privileges: into.privileges,
      whiteouts: 'literal',
      signal: into.signal,
      ...(into.owner === undefined ? {} : { owner: into.owner }),
    });
  } catch (error) {
    const { message } = error as LayerError;
    throw new BuildError('ARCHIVE_INVALID', `ADD cannot unpack ${textOf(selected.name)}: ${message}`, { cause: error });
  } finally {
    closeSync(folder);
  }
}

const blockSize = 512;

function headOf({ tree, path }: Selected): Buffer {
  const head = Buffer.alloc(blockSize);
  const fd = openSync(locate(tree.root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Whether the content, once decompressed, begins with a tar header. */
async function isArchive(selected: Selected): Promise<boolean> {
  const head = headOf(selected);
  if (!mayBeArchive(head) && head.length < blockSize) return false;
  try {
    for await (const _entry of listEntries(openArchive(selected))) return true;
  } catch (error) {
    if (error instanceof BuildError) throw error;
  }
  return false;
}

function openArchive(selected: Selected): Readable {
  const { tree, path, name } = selected;
  const program = packedBy(headOf(selected));
  if (program === undefined) return createReadStream(locate(tree.root, path));
  const fd = openSync(locate(tree.root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return startUnpacking(program, fd, textOf(name)).output;
  } finally {
    closeSync(fd);
  }
}
