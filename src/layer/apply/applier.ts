import fs from 'node:fs';
import type { Syscalls } from '../../system/index.ts';
import type { ApplyOptions } from '../contract.ts';
import type { TarEntry } from '../entry.ts';
import { LayerError, layerErrorOf } from '../error.ts';
import type { TarSink } from '../tar/reader.ts';
import { FileWriter } from './file-writer.ts';
import { statAt } from './folder.ts';
import { setTime, type Thing } from './metadata.ts';
import { at, byteName, type ByteName, componentsOf, printable } from './names.ts';
import { isTaken, LayerTree } from './tree.ts';
import { childPath, type Frame } from './walker.ts';
import { defaultAcl } from './xattrs.ts';

const whiteoutPrefix = '.wh.';
const opaqueMarker = '.wh..wh..opq';
const aufsPrefix = '.wh..wh.';
const fileTypes = { character: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

/** A file whose content comes; its folder stays open until it is complete. */
interface MadeFile {
  readonly entry: TarEntry;
  readonly path: string | Buffer;
  readonly givesGroup: boolean;
}

/**
 * Puts the entries of one layer on disk, so that no entry can reach out of the folder (security rules, each named where it
 * is taken). Give it to a TarReader; then call `finish`. On an error the folder holds part of the layer: throw it away.
 */
export class Applier implements TarSink {
  entries = 0;
  readonly #tree: LayerTree;
  readonly #options: ApplyOptions;
  readonly #syscalls: () => Syscalls;
  readonly #file = new FileWriter();
  /** The entry at hand, for messages. */
  #name: ByteName = '';
  /** The file whose content comes. */
  #making: MadeFile | undefined;

  constructor(dir: string, options: ApplyOptions, syscalls: () => Syscalls) {
    this.#options = options;
    this.#syscalls = syscalls;
    this.#tree = new LayerTree(dir, options, syscalls);
  }

  get warnings(): readonly string[] {
    return this.#tree.warnings;
  }

  entry(entry: TarEntry): void {
    this.entries++;
    this.#name = byteName(entry.name);
    const owned = this.#options.owner === undefined ? entry : { ...entry, ...this.#options.owner };
    try {
      this.#place(owned, componentsOf(this.#name));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  data(chunk: Buffer): void {
    if (this.#making === undefined) return;
    try {
      this.#file.write(chunk);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  hole(length: number): void {
    if (this.#making !== undefined) this.#file.skip(length);
  }

  endEntry(): void {
    const file = this.#making;
    if (file === undefined) return;
    this.#making = undefined;
    try {
      this.#completeFile(file);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Sets what must come last: the times of folders. */
  finish(): void {
    this.#name = '';
    try {
      this.#tree.finish();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  close(): void {
    this.#file.abandon();
    this.#tree.close();
  }

  #failed(error: unknown): unknown {
    return layerErrorOf(error, `applying ${printable(this.#name)}`);
  }

  #place(entry: TarEntry, components: ByteName[]): void {
    const name = components.pop();
    if (name === undefined) return this.#placeRoot(entry);
    if (this.#options.whiteouts !== 'literal') {
      if (components.some(isWhiteoutName)) return this.#insideWhiteout(components);
      if (name.startsWith(whiteoutPrefix)) return this.#whiteOut(name, components);
    }
    const folder = this.#tree.folderFor(components);
    switch (entry.type) {
      case 'directory':
        this.#makeFolder(entry, folder, name);
        break;
      case 'file':
        this.#makeFile(entry, folder, name);
        break;
      case 'symlink':
        this.#make(folder, name, (path) => fs.symlinkSync(entry.linkName ?? '', path));
        this.#dress(entry, folder, name, 'symlink');
        break;
      case 'hardlink':
        this.#makeHardLink(entry, folder, name);
        break;
      case 'character':
      case 'block':
      case 'fifo':
        this.#makeNode(entry, folder, name);
        break;
    }
    this.#tree.touch(folder, name);
  }

  /** The root may be given its metadata; turned into anything else it would leave the folder (CVE-2021-29136). */
  #placeRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') {
      if (this.#options.whiteouts === 'literal')
        return this.#tree.warn(`an entry without a name, a ${entry.type}, was left out`);
      throw new LayerError('UNSAFE_ENTRY', `the root of the layer as a ${entry.type}`);
    }
    const { root } = this.#tree;
    this.#tree.metadata.place(at(root.fd, '.'), entry, { thing: 'directory' });
    this.#tree.endFolder('', { mtimeNs: entry.mtimeNs, acl: entry.xattrs?.get(defaultAcl) });
  }

  /** Files below a whiteout name: aufs kept its own there, honest layers have none. */
  #insideWhiteout(components: readonly ByteName[]): void {
    if (components.every((part) => !part.startsWith(whiteoutPrefix) || part.startsWith(aufsPrefix))) {
      return this.#tree.warn('files that aufs kept for itself were left out');
    }
    throw new LayerError('UNSAFE_ENTRY', `${printable(this.#name)} lies inside a whiteout`);
  }

  /** Deletes from the layers below only, wherever in the layer the whiteout stands (image-spec, layer.md "Whiteouts"). */
  #whiteOut(name: ByteName, components: readonly ByteName[]): void {
    const target = name.slice(whiteoutPrefix.length);
    if (target === '' || target === '.' || target === '..') {
      throw new LayerError(
        'UNSAFE_ENTRY',
        `${printable(this.#name)} is a whiteout of ${target === '' ? 'nothing' : 'a folder link'}`,
      );
    }
    if (name.startsWith(aufsPrefix) && name !== opaqueMarker) {
      return this.#tree.warn('files that aufs kept for itself were left out');
    }
    const folder = this.#tree.lookup(components);
    if (folder === undefined) return;
    if (name === opaqueMarker) this.#tree.whiteOutContents(folder);
    else this.#tree.whiteOut(folder, target);
  }

  #makeFolder(entry: TarEntry, folder: Frame, name: ByteName): void {
    try {
      this.#tree.makeFolder(folder, name, 'new');
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (statAt(folder.fd, name)?.isDirectory() !== true) {
        this.#tree.clear(folder, name);
        this.#tree.makeFolder(folder, name, 'in-place');
      }
    }
    this.#tree.metadata.place(at(folder.fd, name), entry, { thing: 'directory' });
    this.#tree.endFolder(childPath(folder, name), { mtimeNs: entry.mtimeNs, acl: entry.xattrs?.get(defaultAcl) });
  }

  #makeFile(entry: TarEntry, folder: Frame, name: ByteName): void {
    const path = at(folder.fd, name);
    try {
      this.#file.open(path, entry.mode);
    } catch (error) {
      if (!isTaken(error)) throw error;
      this.#tree.clear(folder, name);
      this.#file.open(path, entry.mode);
    }
    this.#making = { entry, path, givesGroup: folder.givesGroup };
  }

  #completeFile({ entry, path, givesGroup }: MadeFile): void {
    const madeAs = givesGroup ? undefined : { uid: 0, gid: 0, mode: this.#file.madeMode };
    const { fd } = this.#file;
    this.#file.complete(entry.size);
    this.#tree.metadata.place(path, entry, { thing: 'file', madeAs, fd });
    this.#file.close(entry.mtimeNs, () => setTime(path, entry.mtimeNs, this.#syscalls));
  }

  /**
   * The target is found by the same walk as any entry, its last component not followed, in this layer or below it. Nothing is resolved
   * against the working directory (CVE-2026-26960).
   */
  #makeHardLink(entry: TarEntry, folder: Frame, name: ByteName): void {
    const target = componentsOf(byteName(entry.linkName ?? Buffer.alloc(0)));
    const targetName = target.pop();
    if (targetName === undefined) throw new LayerError('UNSAFE_ENTRY', 'a hard link to the root');
    const from = this.#tree.lookup(target);
    if (from === undefined || !this.#bring(from, targetName)) {
      throw new LayerError(
        'LINK_TARGET_MISSING',
        `${printable(this.#name)} is a hard link to ${printable(target.concat(targetName).join('/'))}, which is not there`,
      );
    }
    const there = statAt(from.fd, targetName);
    if (there?.isDirectory())
      throw new LayerError('UNSAFE_ENTRY', `${printable(this.#name)} is a hard link to a folder`);
    const existing = statAt(folder.fd, name);
    if (existing !== undefined && existing.ino === there?.ino && existing.dev === there.dev) return;
    this.#make(folder, name, (path) => fs.linkSync(at(from.fd, targetName), path));
  }

  /** Makes sure that a link's target is in this layer: a lower layer's is copied, since an inode belongs to one snapshot. */
  #bring(folder: Frame, name: ByteName): boolean {
    const there = statAt(folder.fd, name);
    if (there !== undefined) return !(this.#tree.inOverlayForm && there.isCharacterDevice() && there.rdev === 0n);
    const lower = this.#tree.below(folder, name);
    if (lower === undefined) return false;
    if (lower.kind === 'folder')
      throw new LayerError('UNSAFE_ENTRY', `${printable(this.#name)} is a hard link to a folder`);
    this.#tree.copyUp(folder, name, lower);
    this.#tree.warn(`${printable(this.#name)} is a hard link to a file of a lower layer, which was copied`);
    return true;
  }

  #makeNode(entry: TarEntry, folder: Frame, name: ByteName): void {
    const type = fileTypes[entry.type as keyof typeof fileTypes];
    const { major, minor } = entry.device ?? { major: 0, minor: 0 };
    if (entry.type === 'character' && major === 0 && minor === 0) {
      // overlayfs would take it as a deletion in the next mount.
      throw new LayerError('UNSAFE_ENTRY', `${printable(this.#name)} is the device 0:0, which is no device`);
    }
    if (entry.type !== 'fifo' && !this.#options.privileges.mayMknod) {
      this.#tree.warn(`devices cannot be made here and were left out, such as ${printable(this.#name)}`);
      return;
    }
    this.#make(folder, name, (path) => this.#syscalls().mknod(path, type | 0o600, major, minor));
    this.#dress(entry, folder, name, 'node');
  }

  /** Owner, mode, attributes and time of what has no content. */
  #dress(entry: TarEntry, folder: Frame, name: ByteName, thing: Thing): void {
    const path = at(folder.fd, name);
    const madeAs = folder.givesGroup ? undefined : { uid: 0, gid: 0 };
    this.#tree.metadata.place(path, entry, { thing, madeAs });
    setTime(path, entry.mtimeNs, this.#syscalls);
  }

  /** Makes a new inode under a name: never opened through what is there, but instead of it. */
  #make(folder: Frame, name: ByteName, create: (path: string | Buffer) => void): void {
    const path = at(folder.fd, name);
    try {
      create(path);
    } catch (error) {
      if (!isTaken(error)) throw error;
      this.#tree.clear(folder, name);
      create(path);
    }
  }
}

function isWhiteoutName(name: ByteName): boolean {
  return name.startsWith(whiteoutPrefix);
}
