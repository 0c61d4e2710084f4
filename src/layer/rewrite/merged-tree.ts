import { type ByteName, byteName, bytesOf, componentsOf, linkSteps, printable } from '../apply/names.ts';
import type { TarEntry } from '../entry.ts';
import { LayerError } from '../error.ts';

/** What is behind one or more names, and which entry of which layer brought it. */
export interface MergedNode {
  readonly layer: number;
  /** Counted over all entries of the layer. */
  readonly ordinal: number;
  readonly entry: TarEntry;
}

/** A name in the tree: a folder has children, also one that no entry made. */
interface Place {
  node: MergedNode | undefined;
  /** The layer that last said something of this name. */
  layer: number;
  readonly children: Map<ByteName, Place> | undefined;
}

const whiteout = '.wh.';
const opaque = '.wh..wh..opq';
/** Links followed on the way to one folder, as Linux has it. */
const maxLinks = 40;
/** Names in a tree; each costs some hundred bytes of memory. */
const maxNames = 5_000_000;

/**
 * The tree that layers make, by names alone: deletions carried out, folders reached through symbolic links where they lead to
 * (image-spec, layer.md "Applying Changesets").
 */
export class MergedTree {
  readonly #root: Place = { node: undefined, layer: 0, children: new Map() };
  #layer = -1;
  #ordinal = -1;
  #names = 0;

  beginLayer(): void {
    this.#layer += 1;
    this.#ordinal = -1;
  }

  /** Applies one entry. @throws LayerError LINK_TARGET_MISSING, UNSAFE_ENTRY, TOO_LARGE */
  add(entry: TarEntry): void {
    this.#ordinal += 1;
    const components = componentsOf(byteName(entry.name));
    const name = components.pop();
    if (name === undefined) return this.#setRoot(entry);
    if (name === opaque) return this.#clear(components);
    if (name.startsWith(whiteout)) return this.#remove(components, name.slice(whiteout.length));
    const folder = this.#folder(components, 'make');
    if (folder !== undefined) this.#put(folder, name, entry);
  }

  /** Every name with what is behind it, folders before what is in them, bytewise. */
  *names(): Generator<readonly [path: ByteName, node: MergedNode]> {
    if (this.#root.node !== undefined) yield ['', this.#root.node];
    yield* walk(this.#root, '');
  }

  #setRoot(entry: TarEntry): void {
    if (entry.type === 'directory') this.#root.node = this.#node(entry);
  }

  #node(entry: TarEntry): MergedNode {
    return { layer: this.#layer, ordinal: this.#ordinal, entry };
  }

  #put(folder: Map<ByteName, Place>, name: ByteName, entry: TarEntry): void {
    const before = folder.get(name);
    if (before === undefined && ++this.#names > maxNames)
      throw new LayerError('TOO_LARGE', `more than ${maxNames} names in one tree`);
    const layer = this.#layer;
    if (entry.type === 'directory') {
      folder.set(name, { node: this.#node(entry), layer, children: before?.children ?? new Map() });
      return;
    }
    const node = entry.type === 'hardlink' ? this.#linked(entry) : this.#node(entry);
    folder.set(name, { node, layer, children: undefined });
  }

  #linked({ linkName }: TarEntry): MergedNode {
    const components = componentsOf(byteName(linkName ?? Buffer.alloc(0)));
    const name = components.pop();
    const found = name === undefined ? undefined : this.#folder(components, 'find')?.get(name);
    if (found?.node !== undefined && found.children === undefined) return found.node;
    const target = printable(byteName(linkName ?? Buffer.alloc(0)));
    throw new LayerError('LINK_TARGET_MISSING', `a hard link leads to ${target}, which is no file of the image`);
  }

  /** A whiteout is about what is below its layer. */
  #remove(components: readonly ByteName[], name: ByteName): void {
    if (name === '' || name === '.' || name === '..')
      throw new LayerError('UNSAFE_ENTRY', 'a whiteout that names nothing');
    const folder = this.#folder(components, 'find');
    const place = folder?.get(name);
    if (folder !== undefined && place !== undefined && !this.#pruned(place)) folder.delete(name);
  }

  #clear(components: readonly ByteName[]): void {
    const folder = this.#folder(components, 'find');
    for (const [name, place] of folder ?? []) if (!this.#pruned(place)) folder?.delete(name);
  }

  /** Takes away what is of lower layers; whether something of this layer is left. */
  #pruned(place: Place): boolean {
    for (const [name, child] of place.children ?? []) if (!this.#pruned(child)) place.children?.delete(name);
    if (place.layer === this.#layer) return true;
    if (place.children === undefined || place.children.size === 0) return false;
    place.node = undefined;
    return true;
  }

  /**
   * The folder that a path leads to, through links as a file system would, never out of the root. What stands in the way and is
   * no folder makes room when something is put there.
   */
  #folder(components: readonly ByteName[], want: 'make' | 'find'): Map<ByteName, Place> | undefined {
    const path: Place[] = [this.#root];
    const steps = components.toReversed();
    let links = 0;
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (step === '..') {
        if (path.length > 1) path.pop();
        continue;
      }
      const here = path.at(-1)?.children;
      if (here === undefined) return undefined;
      let next = here.get(step);
      if (next?.children === undefined && next?.node?.entry.type === 'symlink') {
        if (++links > maxLinks) throw new LayerError('UNSAFE_ENTRY', `too many links on the way to ${printable(step)}`);
        const target = linkSteps(byteName(next.node.entry.linkName ?? Buffer.alloc(0)));
        if (target.absolute) path.length = 1;
        steps.push(...target.steps.toReversed());
        continue;
      }
      if (next?.children === undefined) {
        if (want === 'find') return undefined;
        next = { node: undefined, layer: this.#layer, children: new Map() };
        here.set(step, next);
      }
      path.push(next);
    }
    return path.at(-1)?.children;
  }
}

function* walk(folder: Place, prefix: ByteName): Generator<readonly [ByteName, MergedNode]> {
  const children = [...(folder.children ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, place] of children) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    if (place.node !== undefined) yield [path, place.node];
    if (place.children !== undefined) yield* walk(place, path);
  }
}

/** An entry under another name. */
export function renamed(entry: TarEntry, path: ByteName): TarEntry {
  return { ...entry, name: bytesOf(path === '' ? '.' : path) };
}
