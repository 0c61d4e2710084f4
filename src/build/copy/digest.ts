import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import type { IgnoreMatcher } from '../../dockerfile/index.ts';
import { loadSyscalls } from '../../system/index.ts';
import type { Selected } from './select.ts';
import { visitSelected } from './visit.ts';

const buffer = Buffer.allocUnsafeSlow(1 << 20);
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The content digest of what is selected: names, types, modes, owners (unless the tree resets them), link targets, capabilities and
 * bytes, never times. Contents are always read: a time stamp proves nothing.
 */
export function digestSelection(sources: readonly Selected[], exclude: IgnoreMatcher | undefined): string {
  const sum = createHash('sha256');
  for (const selected of sources) {
    sum.update(selected.stats.isDirectory() ? 'folder\0' : `file ${selected.name}\0`);
    visitSelected(selected, {
      exclude,
      enter: ({ path, at, stats }) => {
        sum.update(`${path}\0${describe(at, stats, selected.tree.resetOwner)}\0`, 'latin1');
      },
    });
  }
  return sum.digest('hex');
}

function describe(at: Buffer, stats: Stats, resetOwner: boolean): string {
  const owner = resetOwner ? '0:0' : `${stats.uid}:${stats.gid}`;
  const head = `${(stats.mode & 0o7777).toString(8)} ${owner}`;
  if (stats.isFile()) return `f ${head} ${contentDigest(at)}${resetOwner ? '' : capabilityOf(at)}`;
  if (stats.isDirectory()) return `d ${head}`;
  if (stats.isSymbolicLink()) return `l ${owner} ${readlinkSync(at, { encoding: 'latin1' })}`;
  return `s ${stats.mode.toString(8)} ${owner} ${stats.rdev}`;
}

function capabilityOf(at: Buffer): string {
  const value = loadSyscalls().getXattr(at, 'security.capability');
  return value === undefined ? '' : ` ${value.toString('hex')}`;
}

/** sha256 of a regular file, without following a link that took its place. */
export function contentDigest(at: Buffer | string): string {
  const fd = openSync(at, openFlags);
  try {
    const { size } = fstatSync(fd);
    if (size <= buffer.length) {
      const length = readSync(fd, buffer, 0, buffer.length, 0);
      if (length < buffer.length) return hash('sha256', buffer.subarray(0, length), 'hex');
    }
    const sum = createHash('sha256');
    for (
      let position = 0, length = 0;
      (length = readSync(fd, buffer, 0, buffer.length, position)) > 0;
      position += length
    ) {
      for (let from = 0; from < length; from += 65536)
        sum.update(buffer.subarray(from, Math.min(from + 65536, length)));
    }
    return sum.digest('hex');
  } finally {
    closeSync(fd);
  }
}
