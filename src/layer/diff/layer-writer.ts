import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { updateHash } from '../hashing.ts';
import { byteName, type ByteName, bytesOf, printable } from '../apply/names.ts';
import type { DraftLayer } from '../contract.ts';
import type { TarEntry } from '../entry.ts';
import { LayerError } from '../error.ts';
import type { Digest } from '../../oci/index.ts';
import { encodeHeader, endOfArchive, paddingFor } from '../tar/writer.ts';
import { HeaderListWriter } from './header-list.ts';

const pieceSize = 256 << 10;

/** Hashes a layer's tar as it would be, stores of it only the header list. Its pieces are there to be taken, or left, as they pass. */
export class LayerWriter {
  readonly #hash = createHash('sha256');
  readonly #list: HeaderListWriter;
  readonly #buffer = Buffer.allocUnsafeSlow(pieceSize);
  #size = 0;
  #entries = 0;

  constructor(headerList: string) {
    this.#list = new HeaderListWriter(headerList);
  }

  /**
   * Adds an entry; for files with content, `source` opens it and `path` names it below the snapshot's folder. Gives the pieces of its tar,
   * each only good until the next one is taken.
   */
  *add(entry: TarEntry, content?: { readonly path: ByteName; readonly source: string | Buffer }): Generator<Buffer> {
    const header = encodeHeader(entry);
    this.#list.header(header);
    yield this.#counted(header);
    this.#entries++;
    if (entry.type !== 'file' || entry.size === 0) return;
    if (content === undefined) throw new LayerError('IO_FAILED', `no content for ${printable(byteName(entry.name))}`);
    this.#list.payload(bytesOf(content.path), entry.size);
    yield* this.#content(content.source, entry.size, content.path);
    const padding = paddingFor(entry.size);
    if (padding.length > 0) yield this.#counted(padding);
  }

  *finish(): Generator<Buffer, DraftLayer> {
    this.#list.header(endOfArchive);
    yield this.#counted(endOfArchive);
    const sha256 = this.#hash.digest();
    this.#list.finish(this.#size, sha256);
    return { diffId: `sha256:${sha256.toString('hex')}` as Digest, size: this.#size, entries: this.#entries };
  }

  close(): void {
    this.#list.close();
  }

  *#content(source: string | Buffer, size: number, path: ByteName): Generator<Buffer> {
    const fd = fs.openSync(source, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    try {
      let left = size;
      while (left > 0) {
        const got = fs.readSync(fd, this.#buffer, 0, Math.min(left, this.#buffer.length), null);
        if (got === 0) throw new LayerError('CONTENT_CHANGED', `${printable(path)} shrank while it was read`);
        left -= got;
        yield this.#counted(this.#buffer.subarray(0, got));
      }
    } finally {
      fs.closeSync(fd);
    }
  }

  #counted(bytes: Buffer): Buffer {
    updateHash(this.#hash, bytes);
    this.#size += bytes.length;
    return bytes;
  }
}
