import fs from 'node:fs';
import { LayerError } from '../error.ts';
import { openFolder } from './folder.ts';
import type { LowerFolder } from './lowers.ts';
import { at, type ByteName, linkSteps, maxDepth, printable, tooDeep } from './names.ts';

/** One open folder on the way from the root; the names of the frames are its real path, free of symbolic links. */
export interface Frame {
  readonly name: ByteName;
  /** Names from the root, joined by slashes; empty for the root. */
  readonly path: ByteName;
  readonly fd: number;
  /** New files take the group of a folder that is setgid. */
  readonly givesGroup: boolean;
  /** What the layers below have here; null before anyone asked. */
  lower: LowerFolder | undefined | null;
}

/** What is done about a component that is no folder in the tree that is walked. */
export type Missing =
  /** A folder is there now. */
  | { readonly kind: 'made' }
  /** The layers below have a symbolic link here. */
  | { readonly kind: 'link'; readonly target: ByteName }
  /** Nothing is there, and nothing shall be. */
  | { readonly kind: 'absent' };

export interface WalkerHooks {
  /** `name` in `parent` is absent, or is a whiteout of this layer. */
  missing(parent: Frame, name: ByteName): Missing;
  /** A folder was entered. */
  entered?(frame: Frame, mtimeNs: bigint): void;
  /** Whether something that is no folder and no symbolic link stands for "absent": a whiteout device. */
  isAbsent(parent: Frame, name: ByteName): boolean;
}

const maxLinks = 40;

/**
 * Finds folders from a root by open descriptors only: each component is opened with O_NOFOLLOW, symbolic links are read and
 * resolved inside the root, `..` stops at it. So neither a link in the layer nor one swapped in meanwhile leads out
 * (CVE-2021-32803, CVE-2025-47290). The folders on the last way stay open, since neighbours mostly share a parent.
 */
export class Walker {
  readonly #frames: Frame[];
  readonly #hooks: WalkerHooks;

  constructor(rootFd: number, hooks: WalkerHooks) {
    const stats = fs.fstatSync(rootFd);
    this.#frames = [{ name: '', path: '', fd: rootFd, givesGroup: (stats.mode & 0o2000) !== 0, lower: null }];
    this.#hooks = hooks;
  }

  get root(): Frame {
    return this.#top(0);
  }

  /**
   * The folder that `components` lead to; undefined where the hook says that there is none.
   * @throws LayerError UNSAFE_ENTRY if a component is a file, or after 40 links
   */
  enter(components: readonly ByteName[]): Frame | undefined {
    let shared = 0;
    while (shared < components.length && this.#frames[shared + 1]?.name === components[shared]) shared++;
    this.#closeTo(shared + 1);
    return shared === components.length ? this.#top() : this.#walk(components.slice(shared));
  }

  /** Forgets the way, after something below the root was removed. */
  reset(): void {
    this.#closeTo(1);
  }

  #walk(steps: ByteName[]): Frame | undefined {
    const left = steps.toReversed();
    let links = 0;
    for (let step = left.pop(); step !== undefined; step = left.pop()) {
      if (step === '..') {
        if (this.#frames.length > 1) this.#closeTo(this.#frames.length - 1);
        continue;
      }
      const target = this.#descend(step);
      if (target === undefined) continue;
      if (target === null) return undefined;
      if (++links > maxLinks)
        throw new LayerError('UNSAFE_ENTRY', `too many symbolic links on the way to ${printable(step)}`);
      const { absolute, steps: more } = linkSteps(target);
      if (absolute) this.#closeTo(1);
      left.push(...more.toReversed());
      if (left.length > maxDepth * 2) throw tooDeep();
    }
    return this.#top();
  }

  /** Goes into `name`; returns a symbolic link's target where it is one, null where nothing is there. */
  #descend(name: ByteName): ByteName | null | undefined {
    const parent = this.#top();
    let fd = openFolder(parent.fd, name);
    if (fd === undefined) {
      const link = readLink(parent.fd, name);
      if (link !== undefined) return link;
      if (!this.#hooks.isAbsent(parent, name)) {
        throw new LayerError('UNSAFE_ENTRY', `${printable(childPath(parent, name))} is used as a folder but is none`);
      }
      const missing = this.#hooks.missing(parent, name);
      if (missing.kind === 'link') return missing.target;
      if (missing.kind === 'absent') return null;
      fd = openFolder(parent.fd, name);
      if (fd === undefined) throw new LayerError('IO_FAILED', `${printable(name)} vanished while it was made`);
    }
    this.#push(parent, name, fd);
    return undefined;
  }

  #push(parent: Frame, name: ByteName, fd: number): void {
    const stats = fs.fstatSync(fd, { bigint: true });
    const givesGroup = (stats.mode & 0o2000n) !== 0n;
    const frame: Frame = { name, path: childPath(parent, name), fd, givesGroup, lower: null };
    this.#frames.push(frame);
    if (this.#frames.length > maxDepth + 1) throw tooDeep();
    this.#hooks.entered?.(frame, stats.mtimeNs);
  }

  #top(index: number = this.#frames.length - 1): Frame {
    const frame = this.#frames[index];
    if (frame === undefined) throw new LayerError('IO_FAILED', 'the walk has no root');
    return frame;
  }

  /** The root's descriptor is the caller's. */
  #closeTo(length: number): void {
    while (this.#frames.length > length) fs.closeSync(this.#frames.pop()?.fd as number);
  }
}

export function childPath(parent: Frame, name: ByteName): ByteName {
  return parent.path === '' ? name : `${parent.path}/${name}`;
}

function readLink(parent: number, name: ByteName): ByteName | undefined {
  try {
    return fs.readlinkSync(at(parent, name), { encoding: 'latin1' });
  } catch {
    return undefined; // absent, or no symbolic link: the caller looks
  }
}
