import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { openFolder, openRoot } from '../apply/folder.ts';
import { updateHash } from '../hashing.ts';
import { at, byteName, byteNameOfPath, type ByteName, printable, systemPath } from '../apply/names.ts';
import type { DraftLayer } from '../contract.ts';
import { errnoOf, LayerError } from '../error.ts';
import type { Digest } from '../../oci/index.ts';
import { paddingFor } from '../tar/writer.ts';
import { readHeaderList } from './header-list.ts';

const pieceSize = 256 << 10;

/**
 * The bytes of a layer's tar again, from its header list and the snapshot's folder, in pieces that are only good until the next one is
 * taken. Fails before its end unless they are those of the diffID that was recorded.
 * @param ended hears, before the end, what was made
 * @throws LayerError CONTENT_CHANGED, INVALID_HEADER_LIST
 */
export function* derivePieces(
  headerList: string,
  folder: string,
  ended: (tar: Pick<DraftLayer, 'diffId' | 'size'>) => void = () => {},
): Generator<Buffer> {
  const hash = createHash('sha256');
  const files = new ContentFiles(folder);
  let size = 0;
  try {
    for (const record of readHeaderList(headerList)) {
      if (record.kind === 'end') {
        if (size !== record.size || !hash.digest().equals(record.sha256)) {
          throw new LayerError('CONTENT_CHANGED', 'the files of a snapshot are not those of its layer');
        }
        return ended({ diffId: `sha256:${record.sha256.toString('hex')}` as Digest, size });
      }
      for (const piece of record.kind === 'header' ? [record.bytes] : files.content(record.path, record.size)) {
        updateHash(hash, piece);
        size += piece.length;
        yield piece;
      }
    }
  } finally {
    files.close();
  }
}

/** Opens files of a snapshot by descriptors, and holds the last folder open. */
class ContentFiles {
  readonly #root: number;
  readonly #piece = Buffer.allocUnsafeSlow(pieceSize);
  #folder: { readonly path: ByteName; readonly fd: number } | undefined;

  constructor(folder: string) {
    this.#root = openRoot(systemPath(byteNameOfPath(folder)));
  }

  *content(path: Buffer, size: number): Generator<Buffer> {
    const name = byteName(path);
    const fd = this.#open(name);
    try {
      const stats = fs.fstatSync(fd);
      if (!stats.isFile() || stats.size !== size) throw changed(name);
      for (let left = size; left > 0; ) {
        const got = fs.readSync(fd, this.#piece, 0, Math.min(left, pieceSize), null);
        if (got === 0) throw changed(name);
        left -= got;
        yield this.#piece.subarray(0, got);
      }
      const padding = paddingFor(size);
      if (padding.length > 0) yield padding;
    } finally {
      fs.closeSync(fd);
    }
  }

  close(): void {
    this.#leave();
    fs.closeSync(this.#root);
  }

  #open(path: ByteName): number {
    const slash = path.lastIndexOf('/');
    const parent = this.#enter(slash === -1 ? '' : path.slice(0, slash), path);
    try {
      const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
      return fs.openSync(at(parent, path.slice(slash + 1)), flags);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') throw changed(path);
      throw error;
    }
  }

  #enter(folder: ByteName, path: ByteName): number {
    if (folder === '') return this.#root;
    if (this.#folder?.path === folder) return this.#folder.fd;
    this.#leave();
    let fd = this.#root;
    for (const name of folder.split('/')) {
      const next = openFolder(fd, name);
      if (fd !== this.#root) fs.closeSync(fd);
      if (next === undefined) throw changed(path);
      fd = next;
    }
    this.#folder = { path: folder, fd };
    return fd;
  }

  #leave(): void {
    if (this.#folder !== undefined) fs.closeSync(this.#folder.fd);
    this.#folder = undefined;
  }
}

function changed(path: ByteName): LayerError {
  return new LayerError('CONTENT_CHANGED', `${printable(path)} is not the file that the layer has`);
}
