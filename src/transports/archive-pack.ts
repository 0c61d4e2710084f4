import type { HeaderData } from 'tar';

/** A file to be packed; a folder has no content. */
export interface PackEntry {
  /** Folders end with a slash. */
  readonly path: string;
  readonly size: number;
  readonly content?: () => Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>>;
}

const blockSize = 512;

/**
 * The bytes of a tar with these entries in the order of their names: the same for the same content, whoever packs it
 * (owner 0, one time for all, mode 0644 or 0755).
 * @param mtime seconds since 1970
 */
export async function* packTar(entries: readonly PackEntry[], mtime: number): AsyncGenerator<Uint8Array, void, void> {
  const { Header, Pax } = await import('tar');
  const inOrder = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, size, content } of inOrder) {
    const isFolder = path.endsWith('/');
    const data: HeaderData = {
      path,
      size,
      mode: isFolder ? 0o755 : 0o644,
      type: isFolder ? 'Directory' : 'File',
      uid: 0,
      gid: 0,
      mtime: new Date(mtime * 1000),
    };
    const block = Buffer.alloc(blockSize);
    const header = new Header(data);
    // A sha512 blob's path fits no ustar header.
    if (header.encode(block)) yield new Pax({ path, size }).encode();
    yield block;
    if (content !== undefined) yield* await content();
    const padding = (blockSize - (size % blockSize)) % blockSize;
    if (padding > 0) yield Buffer.alloc(padding);
  }
  yield Buffer.alloc(2 * blockSize);
}
