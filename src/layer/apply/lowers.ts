import fs, { type BigIntStats } from 'node:fs';
import type { Privileges, Syscalls } from '../../system/index.ts';
import { isWhiteoutDevice, namesIn } from './folder.ts';
import { type ByteName, byteNameOfPath, systemPath } from './names.ts';

/** What the layers below hold at one path, all taken together. */
export type LowerNode = LowerFolder | LowerOther;

export interface LowerFolder {
  readonly kind: 'folder';
  /** The folders that merge here, uppermost first; the first gives the metadata. */
  readonly paths: readonly ByteName[];
  readonly stats: BigIntStats;
}

/** A file, symbolic link, device or FIFO. */
export interface LowerOther {
  readonly kind: 'other';
  readonly path: ByteName;
  readonly stats: BigIntStats;
}

/**
 * A view of finished layers as overlayfs would show them: the uppermost wins, whiteouts hide, opaque folders end the
 * search. Nothing is mounted. The folders are ours and no longer change, so that paths do; a component is only passed
 * where each layer has a real folder, never a symbolic link.
 */
export class LowerView {
  readonly #roots: readonly ByteName[];
  readonly #syscalls: Syscalls;
  readonly #opaque: string;

  constructor(lowers: readonly string[], syscalls: Syscalls, privileges: Privileges) {
    this.#roots = lowers.map(byteNameOfPath);
    this.#syscalls = syscalls;
    this.#opaque = `${privileges.overlayXattrPrefix}opaque`;
  }

  /** undefined: there are no layers below. */
  root(): LowerFolder | undefined {
    const [uppermost] = this.#roots;
    if (uppermost === undefined) return undefined;
    return { kind: 'folder', paths: this.#roots, stats: fs.statSync(systemPath(uppermost), { bigint: true }) };
  }

  child(folder: LowerFolder, name: ByteName): LowerNode | undefined {
    const paths: ByteName[] = [];
    let first: BigIntStats | undefined;
    for (const parent of folder.paths) {
      const path = `${parent}/${name}`;
      const stats = fs.lstatSync(systemPath(path), { bigint: true, throwIfNoEntry: false });
      if (stats === undefined) continue;
      if (isWhiteoutDevice(stats)) break;
      if (!stats.isDirectory()) {
        if (first === undefined) return { kind: 'other', path, stats };
        break;
      }
      first ??= stats;
      paths.push(path);
      if (this.isOpaque(path)) break;
    }
    return first === undefined ? undefined : { kind: 'folder', paths, stats: first };
  }

  /** The names that show in a folder, sorted bytewise. */
  children(folder: LowerFolder): ByteName[] {
    const candidates = new Set<ByteName>();
    for (const path of folder.paths) for (const name of namesIn(systemPath(path))) candidates.add(name);
    return [...candidates].toSorted().filter((name) => this.child(folder, name) !== undefined);
  }

  isOpaque(path: ByteName): boolean {
    return this.#syscalls.getXattr(systemPath(path), this.#opaque)?.toString('latin1') === 'y';
  }
}
