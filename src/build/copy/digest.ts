import { createHash, type Hash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import type { IgnoreMatcher } from '../../dockerfile/index.ts';
import { closeIn, loadSyscalls } from '../../system/index.ts';
import type { ListingEntry } from './listing.ts';
import type { Selected } from './select.ts';
import { type EntryContent, SelectionSum } from './selection-sum.ts';
import { readFlags } from './tree.ts';
import { visitSelected } from './visit.ts';
import type { Child, WalkEntry } from './walk.ts';

const buffer = Buffer.allocUnsafeSlow(1 << 20);

export interface DigestOptions {
  readonly exclude?: IgnoreMatcher | undefined;
  /** See `Selection`. */
  readonly shown?: boolean | undefined;
  /** Gets an entry for each file. */
  readonly listing?: ListingEntry[] | undefined;
}

/** The content digest of what is selected; see `SelectionSum` for what counts. */
export function digestSelection(sources: readonly Selected[], options: DigestOptions = {}): string {
  const sum = new SelectionSum(options.listing);
  for (const selected of sources) {
    visitSelected(selected, {
      exclude: options.exclude,
      enter: (entry) => sum.add(selected, entry, contentOf(selected, entry)),
    });
  }
  return sum.digest(sources, options);
}

function contentOf(selected: Selected, entry: WalkEntry): EntryContent {
  const { stats, child } = entry;
  if (!stats.isFile()) return contentOfOther(entry);
  const { index, resetOwner } = selected.tree;
  if (index !== undefined) return index.contentOf(child);
  return `${digestOf(child)}${resetOwner ? '' : capabilityOf(child.at)}`;
}

/** A link's target, a device's number; nothing of a folder. */
export function contentOfOther({ stats, child }: WalkEntry): EntryContent {
  if (stats.isDirectory()) return '';
  if (stats.isSymbolicLink()) return readlinkSync(child.at, { encoding: 'latin1' });
  return `${(stats.mode & constants.S_IFMT).toString(8)} ${stats.rdev}`;
}

function capabilityOf(at: Buffer): string {
  const value = loadSyscalls().getXattr(at, 'security.capability');
  return value === undefined ? '' : ` ${value.toString('hex')}`;
}

function digestOf(child: Child): string {
  const fd = child.open();
  try {
    return digestOfOpen(fd, child.stats.size);
  } finally {
    closeIn(fd);
  }
}

/** sha256 of a regular file, without following a link that took its place. */
export function contentDigest(at: Buffer | string): string {
  const fd = openSync(at, readFlags);
  try {
    return digestOfOpen(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

/** sha256 of an open file from its beginning. `size` is what it should have: a read may give less than there is. */
export function digestOfOpen(fd: number, size: number): string {
  let length = readSync(fd, buffer, 0, buffer.length, 0);
  if (length < buffer.length && length >= size) return hash('sha256', buffer.subarray(0, length), 'hex');
  const sum = createHash('sha256');
  for (let position = 0; length > 0; length = readSync(fd, buffer, 0, buffer.length, position)) {
    position += length;
    updateInSlices(sum, buffer.subarray(0, length));
  }
  return sum.digest('hex');
}

const slice = 1 << 16;

/** Small slices are hashed up to twice as fast as whole megabytes. */
export function updateInSlices(sum: Hash, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; from += slice) sum.update(bytes.subarray(from, from + slice));
}
