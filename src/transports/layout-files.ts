import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { codeOf, OciError } from '../oci/index.ts';
import { TransportError } from './error.ts';

/** The files of a layout, in a folder or in an archive; paths are relative, with slashes, and never from outside. */
export interface LayoutFiles {
  readonly label: string;
  /** undefined: there is no such file. */
  open(path: string): Promise<LayoutFile | undefined>;
}

/** One open file: read it or close it. */
export interface LayoutFile {
  readonly size: number;
  /** Streams from `offset`; closes the file at its end or when destroyed. */
  read(offset?: number): Readable;
  close(): Promise<void>;
}

/** Largest `index.json`, `oci-layout` or `manifest.json` that is read, bytes. */
const maxDocument = 8 * 1024 * 1024;

/**
 * A small file of a layout; undefined if it is not there.
 * @throws OciError TOO_LARGE before reading (an index.json of 1 GiB)
 */
export async function readDocument(files: LayoutFiles, path: string): Promise<Buffer | undefined> {
  const file = await files.open(path);
  if (file === undefined) return undefined;
  if (file.size > maxDocument) {
    await file.close();
    throw new OciError('TOO_LARGE', `${path} of ${files.label} has ${file.size} bytes, the limit is ${maxDocument}`);
  }
  return buffer(file.read());
}

/** The files of a layout folder. */
export function folderFiles(root: string, label: string): LayoutFiles {
  return {
    label,
    open: async (path) => {
      const handle = await openIfThere(join(root, path));
      if (handle === undefined) return undefined;
      const stat = await handle.stat();
      if (stat.isFile()) return fileOf(handle, stat.size);
      await handle.close();
      throw new TransportError('INVALID_LAYOUT', `${path} of ${label} is not a file`);
    },
  };
}

/** Not blocking: a layout from elsewhere may have a FIFO where a blob should be, and opening that waits for ever. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A file for which fewer, larger reads are worth their memory; bytes. */
const largeFile = 8 << 20;

function fileOf(handle: FileHandle, size: number): LayoutFile {
  return {
    size,
    read: (offset = 0) =>
      handle.createReadStream({ start: offset, highWaterMark: size > largeFile ? 1 << 20 : 256 << 10 }),
    close: () => handle.close(),
  };
}

/** A file that is made and in memory. */
export function memoryFile(content: Buffer): LayoutFile {
  return {
    size: content.byteLength,
    read: (offset = 0) => Readable.from([content.subarray(offset)], { objectMode: false }),
    close: async () => undefined,
  };
}
