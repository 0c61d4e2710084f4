import fs from 'node:fs';
import { splitDevice, type Syscalls } from '../../system/index.ts';
import type { ApplyOptions } from '../contract.ts';
import { errnoOf, LayerError } from '../error.ts';
import { isWhiteoutDevice, openRoot, removeAt, statAt } from './folder.ts';
import { type LowerFolder, type LowerNode, type LowerOther, LowerView } from './lowers.ts';
import { type MetadataSource, MetadataWriter, metadataOf, setTime } from './metadata.ts';
import { at, byteNameOfPath, type ByteName, printable, systemPath } from './names.ts';
import { childPath, type Frame, type Missing, Walker } from './walker.ts';
import { defaultAcl } from './xattrs.ts';

/** What is set on a folder when nothing is made in it any more. */
interface FolderEnd {
  mtimeNs: bigint;
  acl?: Buffer | undefined;
}

const charDevice = 0o020000;
const impliedMode = 0o755;

/**
 * The tree that a layer is applied to, in either whiteout form, with the layers below it. Knows how folders come to be,
 * what deletions look like on disk, and what this layer has made so far.
 */
export class LayerTree {
  readonly rootFd: number;
  readonly warnings: string[] = [];
  readonly metadata: MetadataWriter;
  readonly source: MetadataSource;
  readonly #options: ApplyOptions;
  readonly #syscalls: () => Syscalls;
  #view: LowerView | undefined;
  /** Where new things go: makes the folders that are missing. */
  readonly #makingWalker: Walker;
  /** Where things are looked up: only makes what the layers below have. */
  readonly #lookupWalker: Walker;
  readonly #ends = new Map<ByteName, FolderEnd>();
  readonly #opaque = new Set<ByteName>();
  /** For `delete`: paths that this layer made or went through, which its whiteouts must not touch. */
  readonly #touched = new Set<ByteName>();

  constructor(dir: string, options: ApplyOptions, syscalls: () => Syscalls) {
    this.#options = options;
    this.#syscalls = syscalls;
    this.source = { privileges: options.privileges, syscalls };
    this.metadata = new MetadataWriter(options.privileges, syscalls, (text) => this.warn(text));
    this.rootFd = openRoot(systemPath(byteNameOfPath(dir)));
    this.#makingWalker = this.#walker('make');
    this.#lookupWalker = this.#walker('lookup');
    if (this.inOverlayForm) this.#prepareRoot();
    else this.endFolder('', { mtimeNs: fs.fstatSync(this.rootFd, { bigint: true }).mtimeNs });
  }

  get inOverlayForm(): boolean {
    return this.#options.whiteouts === 'overlay';
  }

  /** Says each thing once, and not more than a hundred. */
  warn(text: string): void {
    if (this.warnings.length < 100 && !this.warnings.includes(text)) this.warnings.push(text);
  }

  /** The folder for a new entry. */
  folderFor(components: readonly ByteName[]): Frame {
    const frame = this.#makingWalker.enter(components);
    if (frame === undefined) throw new LayerError('IO_FAILED', 'a folder could not be made');
    return frame;
  }

  /** The folder at a path as seen through all layers, brought into this one; undefined where there is none. */
  lookup(components: readonly ByteName[]): Frame | undefined {
    // Something may have been replaced since the last look.
    this.#lookupWalker.reset();
    return this.#lookupWalker.enter(components);
  }

  get root(): Frame {
    return this.#makingWalker.root;
  }

  /** Records when and how a folder is finished. */
  endFolder(path: ByteName, end: FolderEnd): void {
    this.#ends.set(path, end);
  }

  /** Remembers what this layer has. */
  touch(folder: Frame, name: ByteName): void {
    if (this.#options.whiteouts === 'delete') this.#touched.add(childPath(folder, name));
  }

  /** Makes room for `name`: what was there is gone afterwards. */
  clear(folder: Frame, name: ByteName): void {
    removeAt(folder.fd, name);
    const path = childPath(folder, name);
    this.#ends.delete(path);
    this.#opaque.delete(path);
  }

  /** Makes a folder; `in-place` where something was cleared away that hid the layers below, which then stay hidden. */
  makeFolder(folder: Frame, name: ByteName, how: 'in-place' | 'new'): void {
    fs.mkdirSync(at(folder.fd, name), 0o700);
    if (how === 'in-place') this.setOpaque(folder.fd, name, childPath(folder, name));
  }

  /** Hides what the layers below have in a folder of this layer. */
  setOpaque(fd: number, name: ByteName, path: ByteName): void {
    if (!this.inOverlayForm || this.#options.lowers?.length === 0) return;
    this.#opaque.add(path);
    this.#syscalls().setXattr(at(fd, name), `${this.#options.privileges.overlayXattrPrefix}opaque`, opaqueValue);
  }

  isOpaque(path: ByteName): boolean {
    return this.#opaque.has(path);
  }

  /** Deletes `name` of the layers below; what this layer has there stays. */
  whiteOut(folder: Frame, name: ByteName): void {
    const path = childPath(folder, name);
    if (!this.inOverlayForm) return this.#removeLower(folder.fd, name, path);
    const there = statAt(folder.fd, name);
    if (there?.isDirectory()) this.setOpaque(folder.fd, name, path);
    if (there !== undefined || this.#options.lowers?.length === 0) return;
    this.#syscalls().mknod(at(folder.fd, name), charDevice, 0, 0);
  }

  /** Deletes all that the layers below have in a folder. */
  whiteOutContents(folder: Frame): void {
    if (!this.inOverlayForm) return this.#removeLowerContents(folder.fd, folder.path);
    if (folder.path !== '') return this.setOpaque(folder.fd, '.', folder.path);
    // overlayfs does not look for the attribute on a layer's root.
    const lower = this.#lowerOf(folder);
    if (lower !== undefined) for (const name of this.#lowerView().children(lower)) this.whiteOut(folder, name);
  }

  /** What the layers below show at `name` of a folder of this layer. */
  below(folder: Frame, name: ByteName): LowerNode | undefined {
    const lower = this.#lowerOf(folder);
    return lower === undefined ? undefined : this.#lowerView().child(lower, name);
  }

  /** Copies a lower layer's file, link or node here, so that a hard link never joins two layers. */
  copyUp(folder: Frame, name: ByteName, lower: LowerOther): void {
    const target = at(folder.fd, name);
    const from = systemPath(lower.path);
    const metadata = metadataOf(from, lower.stats, this.source);
    if (lower.stats.isFile()) {
      fs.copyFileSync(from, target, fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE);
      this.metadata.place(target, metadata, { thing: 'file' });
    } else if (lower.stats.isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(from, { encoding: 'buffer' }), target);
      this.metadata.place(target, metadata, { thing: 'symlink' });
    } else {
      const device = splitDevice(lower.stats.rdev);
      this.#syscalls().mknod(target, Number(lower.stats.mode), device.major, device.minor);
      this.metadata.place(target, metadata, { thing: 'node' });
    }
    setTime(target, lower.stats.mtimeNs, this.#syscalls);
    this.touch(folder, name);
  }

  /** Sets the times of folders, now that nothing is made in them any more. */
  finish(): void {
    const { root } = this;
    for (const [path, end] of this.#ends) {
      const frame = path === '' ? root : this.#openReal(path);
      if (frame === undefined) continue;
      const self = at(frame.fd, '.');
      if (end.acl !== undefined) this.metadata.xattr(self, defaultAcl, end.acl);
      setTime(self, end.mtimeNs, this.#syscalls);
    }
  }

  close(): void {
    this.#makingWalker.reset();
    this.#lookupWalker.reset();
    fs.closeSync(this.rootFd);
  }

  /** A folder made earlier, by its real path; undefined where something else took its place. */
  #openReal(path: ByteName): Frame | undefined {
    const components = path.split('/');
    const name = components.pop() as ByteName;
    const parent = this.#lookupWalker.enter(components);
    if (parent === undefined || statAt(parent.fd, name)?.isDirectory() !== true) return undefined;
    return this.#lookupWalker.enter([...components, name]);
  }

  #walker(purpose: 'make' | 'lookup'): Walker {
    return new Walker(this.rootFd, {
      missing: (parent, name) => this.#missing(parent, name, purpose),
      isAbsent: (parent, name) => {
        const stats = statAt(parent.fd, name);
        return stats === undefined || (this.inOverlayForm && isWhiteoutDevice(stats));
      },
      entered: (frame, mtimeNs) => {
        if (purpose === 'make' && this.#options.whiteouts === 'delete') this.#touched.add(frame.path);
        // What is made inside must not show in the folder's own time.
        if (!this.#ends.has(frame.path)) this.#ends.set(frame.path, { mtimeNs });
      },
    });
  }

  /** A parent that this layer does not have: the layers below say what it is, and only then it is invented. */
  #missing(parent: Frame, name: ByteName, purpose: 'make' | 'lookup'): Missing {
    const path = childPath(parent, name);
    const deleted = this.inOverlayForm && statAt(parent.fd, name) !== undefined;
    const lower = deleted ? undefined : this.below(parent, name);
    if (lower === undefined) {
      if (purpose === 'lookup') return { kind: 'absent' };
      if (deleted) this.clear(parent, name);
      this.makeFolder(parent, name, deleted ? 'in-place' : 'new');
      this.metadata.place(
        at(parent.fd, name),
        { mode: impliedMode, uid: 0, gid: 0, mtimeNs: 0n },
        { thing: 'directory' },
      );
      return { kind: 'made' };
    }
    if (lower.kind === 'folder') {
      this.makeFolder(parent, name, 'new');
      const metadata = metadataOf(systemPath(lower.paths[0] as ByteName), lower.stats, this.source);
      this.metadata.place(at(parent.fd, name), metadata, { thing: 'directory' });
      this.endFolder(path, { mtimeNs: metadata.mtimeNs, acl: metadata.xattrs?.get(defaultAcl) });
      return { kind: 'made' };
    }
    if (!lower.stats.isSymbolicLink()) {
      throw new LayerError('UNSAFE_ENTRY', `${printable(path)} is used as a folder but is none in the layers below`);
    }
    return { kind: 'link', target: fs.readlinkSync(systemPath(lower.path), { encoding: 'latin1' }) };
  }

  /** The root of a layer's folder is the root that containers see: it looks as the one below until the layer says otherwise. */
  #prepareRoot(): void {
    const lower = this.#lowerOf(this.root);
    const self = at(this.rootFd, '.');
    if (lower === undefined) {
      this.metadata.place(self, { mode: impliedMode, uid: 0, gid: 0, mtimeNs: 0n }, { thing: 'directory' });
      return;
    }
    const metadata = metadataOf(systemPath(lower.paths[0] as ByteName), lower.stats, this.source);
    this.metadata.place(self, metadata, { thing: 'directory' });
    this.endFolder('', { mtimeNs: metadata.mtimeNs, acl: metadata.xattrs?.get(defaultAcl) });
  }

  #lowerOf(frame: Frame): LowerFolder | undefined {
    if (!this.inOverlayForm || (this.#options.lowers ?? []).length === 0 || this.isOpaque(frame.path)) return undefined;
    if (frame.lower !== null) return frame.lower;
    frame.lower = this.#findLower(frame.path);
    return frame.lower;
  }

  #findLower(path: ByteName): LowerFolder | undefined {
    const view = this.#lowerView();
    let folder = view.root();
    let walked = '';
    for (const name of path === '' ? [] : path.split('/')) {
      walked = walked === '' ? name : `${walked}/${name}`;
      if (folder === undefined || this.isOpaque(walked)) return undefined;
      const child = view.child(folder, name);
      folder = child?.kind === 'folder' ? child : undefined;
    }
    return folder;
  }

  #lowerView(): LowerView {
    this.#view ??= new LowerView(this.#options.lowers ?? [], this.#syscalls(), this.#options.privileges);
    return this.#view;
  }

  #removeLower(fd: number, name: ByteName, path: ByteName): void {
    if (!this.#touched.has(path)) return removeAt(fd, name);
    if (statAt(fd, name)?.isDirectory() !== true) return;
    const inner = openRoot(at(fd, name));
    try {
      this.#removeLowerContents(inner, path);
    } finally {
      fs.closeSync(inner);
    }
  }

  #removeLowerContents(fd: number, path: ByteName): void {
    for (const name of fs.readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' })) {
      this.#removeLower(fd, name, path === '' ? name : `${path}/${name}`);
    }
  }
}

const opaqueValue = Buffer.from('y');

/** Whether an error means that something is already there. */
export function isTaken(error: unknown): boolean {
  return errnoOf(error) === 'EEXIST';
}
