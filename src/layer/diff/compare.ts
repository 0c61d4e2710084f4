import fs, { type BigIntStats } from 'node:fs';
import type { LowerNode } from '../apply/lowers.ts';
import { type MetadataSource, ownerOf } from '../apply/metadata.ts';
import { type ByteName, systemPath } from '../apply/names.ts';
import { wholeSeconds } from '../tar/writer.ts';
import { sameContent } from './same-content.ts';

/** The one attribute that layers carry, as BuildKit's do: `user.*` and ACLs would make equal files differ between machines. */
export const keptXattr = 'security.capability';

/** Something in a tree, with what a layer says of it. */
export interface Item {
  readonly path: ByteName;
  readonly stats: BigIntStats;
  readonly uid: number;
  readonly gid: number;
}

export function itemAt(path: ByteName, stats: BigIntStats, source: MetadataSource): Item {
  return { path, stats, ...ownerOf(systemPath(path), stats, source) };
}

/** Asked of those alone for which it matters: it is a seventh of the work on a small file. */
export function capabilityOf({ path, stats }: Item, source: MetadataSource): Buffer | undefined {
  return stats.isFile() ? source.syscalls().getXattr(systemPath(path), keptXattr) : undefined;
}

/** Whether a folder says the same as the one below, its time aside. */
export function sameFolder(item: Item, lower: Item): boolean {
  return item.stats.mode === lower.stats.mode && item.uid === lower.uid && item.gid === lower.gid;
}

/** How two things are compared. */
export interface Comparison {
  readonly source: MetadataSource;
  /** Of one size. */
  readonly buffers: readonly [Buffer, Buffer];
  /** The time that a layer would tell, nanoseconds. */
  time(stats: BigIntStats): bigint;
}

/** Whether a layer would say the same of both: kind, mode, owner, time in seconds, capability, and content. */
export function sameThing(item: Item, lower: Item, comparison: Comparison): boolean {
  const { stats } = item;
  if (!sameFolder(item, lower) || wholeSeconds(comparison.time(stats)) !== wholeSeconds(comparison.time(lower.stats)))
    return false;
  if (stats.isSymbolicLink()) return readLink(item.path) === readLink(lower.path);
  if (!stats.isFile()) return stats.rdev === lower.stats.rdev;
  if (stats.size !== lower.stats.size) return false;
  const capability = (of: Item): Buffer | undefined => capabilityOf(of, comparison.source);
  if (!sameBytes(capability(item), capability(lower))) return false;
  return (
    stats.size === 0n ||
    (stats.ino === lower.stats.ino && stats.dev === lower.stats.dev) ||
    sameContent(systemPath(item.path), systemPath(lower.path), comparison.buffers)
  );
}

export function lowerItem(node: LowerNode, source: MetadataSource): Item {
  const path = node.kind === 'folder' ? (node.paths[0] as ByteName) : node.path;
  return itemAt(path, node.stats, source);
}

export function readLink(path: ByteName): ByteName {
  return fs.readlinkSync(systemPath(path), { encoding: 'latin1' });
}

function sameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined ? b === undefined : b !== undefined && a.equals(b);
}
