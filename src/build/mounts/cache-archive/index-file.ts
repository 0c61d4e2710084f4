import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, hexOf, isDigest } from '../../../oci/index.ts';
import type { ArchivedCacheMount } from '../../../store/index.ts';
import { BuildError } from '../../error.ts';

/** `index.json` of a folder of exported cache mounts: what each archive beside it holds. */
export interface ArchiveIndex {
  readonly version: 1;
  readonly mounts: readonly ArchivedCacheMount[];
}

const largestIndex = 4 << 20;
const mostMounts = 1000;

export const indexName = 'index.json';

/** The file of an archive, called after its content: an index never speaks of half a file, or of another one. */
export function fileOf(digest: Digest): string {
  return `${hexOf(digest)}.tar.zst`;
}

/**
 * Reads a folder's index; undefined: there is none.
 * @throws BuildError ARCHIVE_INVALID for one that cannot be relied on
 */
export async function readIndex(folder: string): Promise<ArchiveIndex | undefined> {
  const file = join(folder, indexName);
  let text: Buffer;
  try {
    text = await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw invalid(file, code ?? 'it cannot be read', cause);
  }
  if (text.length > largestIndex) throw invalid(file, 'it is too large');
  let value: unknown;
  try {
    value = JSON.parse(text.toString());
  } catch (cause) {
    throw invalid(file, 'it is no JSON', cause);
  }
  return parseIndex(value, file);
}

function parseIndex(value: unknown, file: string): ArchiveIndex {
  const { version, mounts } = (value ?? {}) as { version?: unknown; mounts?: unknown };
  if (version !== 1) throw invalid(file, 'it is of another version');
  if (!Array.isArray(mounts) || mounts.length > mostMounts) throw invalid(file, 'its list of mounts is none');
  return { version, mounts: mounts.map((mount) => parseMount(mount, file)) };
}

function parseMount(value: unknown, file: string): ArchivedCacheMount {
  const mount = (value ?? {}) as { readonly [Key in keyof ArchivedCacheMount]?: unknown };
  const { uid, gid, mode } = (mount.owner ?? {}) as { uid?: unknown; gid?: unknown; mode?: unknown };
  return {
    id: textOf(mount.id, 'id', file),
    origin: textOf(mount.origin, 'origin', file),
    created: numberOf(mount.created, 'created', file),
    lastUsed: numberOf(mount.lastUsed, 'lastUsed', file),
    owner: {
      uid: numberOf(uid, 'uid', file, 2 ** 32 - 2),
      gid: numberOf(gid, 'gid', file, 2 ** 32 - 2),
      mode: numberOf(mode, 'mode', file, 0o7777),
    },
    digest: digestIn(mount.digest, 'digest', file),
    size: numberOf(mount.size, 'size', file),
    diffId: digestIn(mount.diffId, 'diffId', file),
  };
}

function textOf(value: unknown, key: string, file: string): string {
  if (typeof value === 'string' && value.length <= 4096) return value;
  throw invalid(file, `${key} is no text`);
}

function numberOf(value: unknown, key: string, file: string, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw invalid(file, `${key} is no number that can be`);
}

function digestIn(value: unknown, key: string, file: string): Digest {
  if (typeof value === 'string' && isDigest(value) && value.startsWith('sha256:')) return value;
  throw invalid(file, `${key} is no digest`);
}

function invalid(file: string, why: string, cause?: unknown): BuildError {
  return new BuildError('ARCHIVE_INVALID', `${file}: ${why}`, {
    cause,
    hint: 'it is written by --cache-mount-export; without it caches begin empty',
  });
}
