import type { BigIntStats } from 'node:fs';
import { loadSyscalls, splitDevice } from '../../system/index.ts';
import { isWhiteoutDevice } from '../apply/folder.ts';
import { type LowerFolder, LowerView } from '../apply/lowers.ts';
import type { MetadataSource } from '../apply/metadata.ts';
import { type ByteName, byteNameOfPath, bytesOf, systemPath } from '../apply/names.ts';
import type { DiffOptions, DraftLayer, LayerTask } from '../contract.ts';
import type { TarEntry, TarEntryType } from '../entry.ts';
import { LayerError, layerErrorOf } from '../error.ts';
import {
  type Comparison,
  type Item,
  capabilityOf,
  itemAt,
  keptXattr,
  lowerItem,
  readLink,
  sameFolder,
  sameThing,
} from './compare.ts';
import { type DiffedTree, FolderTree, type StackDiffOptions, StackTree } from './diffed-tree.ts';
import { LayerWriter } from './layer-writer.ts';
import { type RecordedStats, readStats } from './stats.ts';

/** Called now and then; throws to stop. */
export type CheckIn = () => void;

/**
 * Makes a layer from the upper folder of an overlay mount (`redirect_dir=off,metacopy=off,index=off`): what it says anew,
 * in bytewise order with the parents of each entry, deletions as explicit whiteouts. Equal trees give equal layers, whatever way
 * they came to be. Blocks its thread: for workers; others use `makeLayerInWorker`.
 * @throws LayerError DISK_FULL, IO_FAILED
 */
export function diffLayer(folder: string, options: DiffOptions, checkIn?: CheckIn): DraftLayer {
  return makeLayer({ folder, options }, checkIn);
}

/**
 * The same for a whole tree that began as a copy of `options.lowers` (one folder, or none) and was recorded by `recordStats`:
 * what is missing was deleted, what was not touched is not read.
 * @throws LayerError INVALID_STATS
 */
export function diffTree(folder: string, statsFile: string, options: DiffOptions, checkIn?: CheckIn): DraftLayer {
  return makeLayer({ folder, statsFile, options }, checkIn);
}

/** `diffLayer`, or `diffTree` where there is a `statsFile`. */
export function makeLayer(task: LayerTask, checkIn?: CheckIn): DraftLayer {
  return untilDone(diffPieces(task, checkIn));
}

/** The same, with the bytes of the tar on the way, in pieces that are only good until the next one is taken. */
export function diffPieces(
  { folder, statsFile, options }: LayerTask,
  checkIn?: CheckIn,
): Generator<Buffer, DraftLayer> {
  const mode = statsFile === undefined ? { complete: false } : { complete: true, recorded: readStats(statsFile) };
  return runDiff(new FolderTree(folder), options, { ...mode, checkIn });
}

/**
 * The same for what a stack of finished layers shows: one layer of all that it has over `options.lowers`, also where those are not the
 * lowest of it. The header list names payloads below `payloadRoot`, in which all folders of the stack are.
 */
export function diffStack(stack: readonly string[], options: StackDiffOptions, checkIn?: CheckIn): DraftLayer {
  const tree = new StackTree(stack, options);
  return untilDone(runDiff(tree, options, { complete: true, checkIn }));
}

interface Mode {
  /** What is not in the tree was deleted. */
  readonly complete: boolean;
  /** What a whole tree was before. */
  readonly recorded?: RecordedStats;
  readonly checkIn?: CheckIn | undefined;
}

function* runDiff(tree: DiffedTree, options: DiffOptions, mode: Mode): Generator<Buffer, DraftLayer> {
  const writer = new LayerWriter(options.headerList);
  try {
    yield* new Diff(tree, options, mode, writer).pieces();
    return yield* writer.finish();
  } catch (error) {
    throw layerErrorOf(error, 'making a layer');
  } finally {
    writer.close();
  }
}

function untilDone(diff: Generator<Buffer, DraftLayer>): DraftLayer {
  for (;;) {
    const { done, value } = diff.next();
    if (done === true) return value;
  }
}

/** Where the walk stands: a folder of the tree, and what the layers below show there. */
interface Place {
  readonly path: ByteName;
  readonly lower: LowerFolder | undefined;
  /** What is not here was deleted: a whole tree, or below an opaque folder. */
  readonly complete: boolean;
  /** Writes the folder's own entry and those of its parents, once. */
  readonly announce: () => Generator<Buffer>;
}

class Diff {
  readonly #tree: DiffedTree;
  readonly #options: DiffOptions;
  readonly #mode: Mode;
  readonly #writer: LayerWriter;
  readonly #source: MetadataSource;
  readonly #view: LowerView;
  /** First name of each inode that has several. */
  readonly #links = new Map<string, ByteName>();
  readonly #comparison: Comparison;

  constructor(tree: DiffedTree, options: DiffOptions, mode: Mode, writer: LayerWriter) {
    this.#tree = tree;
    this.#options = options;
    this.#mode = mode;
    this.#writer = writer;
    this.#source = { privileges: options.privileges, syscalls: loadSyscalls };
    this.#comparison = {
      source: this.#source,
      buffers: [Buffer.allocUnsafeSlow(64 << 10), Buffer.allocUnsafeSlow(64 << 10)],
      time: (stats) => this.#time(stats.mtimeNs),
    };
    this.#view = new LowerView(options.lowers, loadSyscalls(), options.privileges);
  }

  *pieces(): Generator<Buffer> {
    // The root is no entry: what a container sees as / is not a step's to change, and BuildKit has none either.
    const { complete } = this.#mode;
    if (this.#options.prefix !== undefined) {
      yield* this.#writer.add(
        this.#entry('', itemAt(this.#tree.real(''), this.#tree.stats(''), this.#source), 'directory'),
      );
    }
    yield* this.#folder({ path: '', lower: this.#view.root(), complete, announce: noPieces });
  }

  *#folder(place: Place): Generator<Buffer> {
    this.#mode.checkIn?.();
    const names = this.#tree.names(place.path);
    const hidden = place.complete && place.lower !== undefined ? this.#view.children(place.lower) : [];
    const all = hidden.length === 0 ? names : [...new Set([...names, ...hidden])].toSorted();
    const here = new Set(names);
    for (const name of all) {
      if (here.has(name)) yield* this.#child(place, name);
      else yield* this.#whiteout(place, name);
    }
  }

  *#child(place: Place, name: ByteName): Generator<Buffer> {
    // No layer can hold such a name: it would delete another file where it is applied.
    if (name.startsWith('.wh.')) return;
    const path = join(place.path, name);
    const stats = this.#tree.stats(path);
    if (stats.isDirectory()) return yield* this.#childFolder(place, name, stats);
    const lower = place.lower === undefined ? undefined : this.#view.child(place.lower, name);
    if (isWhiteoutDevice(stats) || stats.isSocket()) {
      // A socket means nothing in an image, but what it replaced is gone.
      if (lower !== undefined) yield* this.#whiteout(place, name);
      return;
    }
    if (lower?.kind === 'other') {
      if (this.#mode.recorded?.isUntouched(path, stats)) return;
      const item = itemAt(this.#tree.real(path), stats, this.#source);
      if (sameThing(item, lowerItem(lower, this.#source), this.#comparison)) return;
      return yield* this.#emit(place, path, item);
    }
    yield* this.#emit(place, path, itemAt(this.#tree.real(path), stats, this.#source));
  }

  *#childFolder(place: Place, name: ByteName, stats: BigIntStats): Generator<Buffer> {
    const path = join(place.path, name);
    const item = itemAt(this.#tree.real(path), stats, this.#source);
    const node = place.lower === undefined ? undefined : this.#view.child(place.lower, name);
    const lower = node?.kind === 'folder' ? node : undefined;
    const complete = place.complete || (lower !== undefined && this.#view.isOpaque(item.path));
    let announced = false;
    const writer = this.#writer;
    const entry = (): TarEntry => this.#entry(path, item, 'directory');
    function* announce(): Generator<Buffer> {
      if (announced) return;
      announced = true;
      yield* place.announce();
      yield* writer.add(entry());
    }
    // A change of the time alone comes from what was done inside, and that tells itself.
    if (lower === undefined || !sameFolder(item, lowerItem(lower, this.#source))) yield* announce();
    yield* this.#folder({ path, lower, complete, announce });
  }

  *#whiteout(place: Place, name: ByteName): Generator<Buffer> {
    yield* place.announce();
    const marker = this.#name(join(place.path, `.wh.${name}`));
    yield* this.#writer.add({ name: marker, type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtimeNs: 0n });
  }

  *#emit(place: Place, path: ByteName, item: Item): Generator<Buffer> {
    yield* place.announce();
    const { stats } = item;
    if (stats.nlink > 1n && stats.isFile()) {
      const inode = `${stats.dev}:${stats.ino}`;
      const first = this.#links.get(inode);
      if (first !== undefined)
        return yield* this.#writer.add({ ...this.#entry(path, item, 'hardlink'), linkName: this.#name(first) });
      this.#links.set(inode, path);
    }
    const type = typeOf(stats);
    const entry = this.#entry(path, item, type);
    if (type === 'symlink') return yield* this.#writer.add({ ...entry, linkName: bytesOf(readLink(item.path)) });
    if (type === 'character' || type === 'block')
      return yield* this.#writer.add({ ...entry, device: splitDevice(stats.rdev) });
    if (type !== 'file') return yield* this.#writer.add(entry);
    yield* this.#writer.add(entry, { path: this.#tree.payload(path), source: systemPath(item.path) });
  }

  #entry(path: ByteName, item: Item, type: TarEntryType): TarEntry {
    const { stats } = item;
    const entry = {
      name: this.#name(path),
      type,
      mode: type === 'symlink' ? 0o777 : Number(stats.mode) & 0o7777,
      uid: item.uid,
      gid: item.gid,
      size: type === 'file' ? Number(stats.size) : 0,
      mtimeNs: this.#time(stats.mtimeNs),
    };
    const capability = type === 'file' ? capabilityOf(item, this.#source) : undefined;
    return capability === undefined ? entry : { ...entry, xattrs: new Map([[keptXattr, capability]]) };
  }

  #time(mtimeNs: bigint): bigint {
    const { clampTo } = this.#options;
    if (clampTo === undefined) return mtimeNs;
    const limit = BigInt(clampTo) * 1_000_000_000n;
    return mtimeNs > limit ? limit : mtimeNs;
  }

  /** The path in the tar. */
  #name(path: ByteName): Buffer {
    const { prefix } = this.#options;
    return bytesOf(prefix === undefined ? path : join(byteNameOfPath(prefix), path));
  }
}

/** What needs no entry. */
function* noPieces(): Generator<Buffer> {}

function join(path: ByteName, name: ByteName): ByteName {
  return path === '' || name === '' ? `${path}${name}` : `${path}/${name}`;
}

function typeOf(stats: BigIntStats): TarEntryType {
  if (stats.isFile()) return 'file';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isCharacterDevice()) return 'character';
  if (stats.isBlockDevice()) return 'block';
  throw new LayerError('IO_FAILED', 'a file of unknown kind');
}
