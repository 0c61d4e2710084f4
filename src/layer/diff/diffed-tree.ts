import fs, { type BigIntStats } from 'node:fs';
import { loadSyscalls } from '../../system/index.ts';
import { namesIn } from '../apply/folder.ts';
import { type LowerFolder, type LowerNode, LowerView } from '../apply/lowers.ts';
import { type ByteName, byteNameOfPath, systemPath } from '../apply/names.ts';
import type { DiffOptions } from '../contract.ts';

/** A tree that a layer is made of; paths are relative, empty for its root. */
export interface DiffedTree {
  /** Names in a folder, sorted bytewise. */
  names(path: ByteName): readonly ByteName[];
  stats(path: ByteName): BigIntStats;
  /** Where it really lies. */
  real(path: ByteName): ByteName;
  /** How the header list names its content. */
  payload(path: ByteName): ByteName;
}

/** One folder. */
export class FolderTree implements DiffedTree {
  readonly #root: ByteName;

  constructor(folder: string) {
    this.#root = byteNameOfPath(folder);
  }

  names(path: ByteName): readonly ByteName[] {
    return namesIn(systemPath(this.real(path)));
  }

  stats(path: ByteName): BigIntStats {
    return fs.lstatSync(systemPath(this.real(path)), { bigint: true });
  }

  real(path: ByteName): ByteName {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  payload(path: ByteName): ByteName {
    return path;
  }
}

export interface StackDiffOptions extends DiffOptions {
  /** An absolute path. */
  readonly payloadRoot: string;
}

/** What layers show together, uppermost first, each in overlay form. Nothing is mounted. */
export class StackTree implements DiffedTree {
  readonly #view: LowerView;
  readonly #payloadRoot: ByteName;
  /** Folders that were looked up; whoever asks goes from folders to what is in them. */
  readonly #folders = new Map<ByteName, LowerFolder>();

  constructor(stack: readonly string[], { payloadRoot, privileges }: StackDiffOptions) {
    this.#view = new LowerView(stack, loadSyscalls(), privileges);
    this.#payloadRoot = byteNameOfPath(payloadRoot);
    const root = this.#view.root();
    if (root !== undefined) this.#folders.set('', root);
  }

  names(path: ByteName): readonly ByteName[] {
    const folder = this.#folders.get(path);
    return folder === undefined ? [] : this.#view.children(folder);
  }

  stats(path: ByteName): BigIntStats {
    return this.#node(path).stats;
  }

  real(path: ByteName): ByteName {
    const node = this.#node(path);
    return node.kind === 'folder' ? (node.paths[0] ?? '') : node.path;
  }

  payload(path: ByteName): ByteName {
    return this.real(path).slice(this.#payloadRoot.length + 1);
  }

  #node(path: ByteName): LowerNode {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const parent = this.#folders.get(slash < 0 ? '' : path.slice(0, slash));
    const node = parent && this.#view.child(parent, path.slice(slash + 1));
    if (node === undefined) throw new Error(`${path} is not in the stack`);
    if (node.kind === 'folder') this.#folders.set(path, node);
    return node;
  }
}
