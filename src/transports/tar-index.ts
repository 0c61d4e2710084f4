import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import type { HeaderData } from 'tar';
import { TransportError } from './error.ts';

/** Where a file's content is in an uncompressed tar. */
export interface TarFile {
  readonly offset: number;
  readonly size: number;
}

export interface TarIndex {
  readonly files: ReadonlyMap<string, TarFile>;
  /** Symbolic and hard links, by path: the path that they lead to, both from the top. */
  readonly links: ReadonlyMap<string, string>;
}

const blockSize = 512;
/** An image has a few hundred files at most; a million headers are an attack. */
const maxEntries = 100_000;
/** PAX records and GNU long names, bytes. */
const maxExtension = 1024 * 1024;

/**
 * Notes where each file of an archive of images lies, reading headers only. Names serve look-ups, never the file system.
 * @throws TransportError INVALID_ARCHIVE
 */
export async function indexTar(handle: FileHandle, label: string): Promise<TarIndex> {
  const { Header, Pax } = await import('tar');
  const { size: end } = await handle.stat();
  const files = new Map<string, TarFile>();
  const links = new Map<string, string>();
  const invalid = (rule: string): never => {
    throw new TransportError('INVALID_ARCHIVE', `${label} is not a sound tar archive: ${rule}`);
  };
  let extended: HeaderData = {};
  let position = 0;
  for (let count = 0; position < end; count += 1) {
    if (count > maxEntries) invalid(`more than ${maxEntries} entries`);
    const header = new Header(await readAt(handle, position, blockSize, invalid), 0, extended);
    if (header.nullBlock) break;
    if (!header.cksumValid) invalid(`a wrong header checksum at byte ${position}`);
    const size = header.size ?? invalid(`no size at byte ${position}`);
    const offset = position + blockSize;
    if (!Number.isSafeInteger(size) || offset + size > end) invalid('it ends within a file');
    position = offset + Math.ceil(size / blockSize) * blockSize;
    const extension = async (): Promise<string> => {
      if (size > maxExtension) invalid('an extended header is too large');
      return (await readAt(handle, offset, size, invalid)).toString();
    };
    if (header.type === 'GlobalExtendedHeader') continue;
    if (header.type === 'ExtendedHeader') {
      extended = { ...extended, ...defined(Pax.parse(await extension())) };
      continue;
    }
    if (header.type === 'NextFileHasLongPath' || header.type === 'OldGnuLongPath') {
      extended = { ...extended, path: untilNul(await extension()) };
      continue;
    }
    if (header.type === 'NextFileHasLongLinkpath') {
      extended = { ...extended, linkpath: untilNul(await extension()) };
      continue;
    }
    const path = posix.normalize(extended.path ?? header.path ?? '');
    const linkpath = extended.linkpath ?? header.linkpath ?? '';
    files.delete(path);
    links.delete(path);
    if (header.type === 'SymbolicLink') links.set(path, posix.join(posix.dirname(path), linkpath));
    else if (header.type === 'Link') links.set(path, posix.normalize(linkpath));
    else if (header.type === 'File' || header.type === 'OldFile') files.set(path, { offset, size });
    extended = {};
  }
  return { files, links };
}

/** The file at `path`, through links, which docker's older archives use for shared layers; undefined: there is none. */
export function findFile(index: TarIndex, path: string): TarFile | undefined {
  let current = posix.normalize(path);
  // A circle of links is not followed for ever.
  for (let hops = 0; hops < 16; hops += 1) {
    const file = index.files.get(current);
    if (file !== undefined) return file;
    const next = index.links.get(current);
    if (next === undefined) return undefined;
    current = next;
  }
  return undefined;
}

async function readAt(
  handle: FileHandle,
  position: number,
  length: number,
  invalid: (rule: string) => never,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) invalid('it ends within a header');
    done += bytesRead;
  }
  return buffer;
}

/** Without members that are undefined, which would hide those of an earlier extended header. */
function defined(data: HeaderData): HeaderData {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

function untilNul(text: string): string {
  return text.split('\0', 1)[0] ?? '';
}
