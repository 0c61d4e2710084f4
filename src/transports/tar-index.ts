import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Header, HeaderData } from 'tar';
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
  const scanner = new TarScanner(handle, label, await import('tar'));
  return scanner.scan((await handle.stat()).size);
}

class TarScanner {
  readonly #handle: FileHandle;
  readonly #label: string;
  readonly #tar: typeof import('tar');
  readonly #files = new Map<string, TarFile>();
  readonly #links = new Map<string, string>();
  /** What PAX and GNU headers say of the entry that follows them. */
  #extended: HeaderData = {};

  constructor(handle: FileHandle, label: string, tar: typeof import('tar')) {
    this.#handle = handle;
    this.#label = label;
    this.#tar = tar;
  }

  async scan(end: number): Promise<TarIndex> {
    let position = 0;
    for (let count = 0; position < end; count += 1) {
      if (count > maxEntries) this.#invalid(`it has more than ${maxEntries} entries`);
      const header = new this.#tar.Header(await this.#read(position, blockSize), 0, this.#extended);
      if (header.nullBlock) break;
      if (!header.cksumValid) this.#invalid(`a wrong header checksum at byte ${position}`);
      const size = header.size ?? this.#invalid(`no size at byte ${position}`);
      const offset = position + blockSize;
      if (!Number.isSafeInteger(size) || offset + size > end) this.#invalid('it ends within a file');
      if (!(await this.#extend(header, { offset, size }))) this.#note(header, { offset, size });
      position = offset + Math.ceil(size / blockSize) * blockSize;
    }
    return { files: this.#files, links: this.#links };
  }

  /** True for a header that speaks of the next one. */
  async #extend(header: Header, body: TarFile): Promise<boolean> {
    if (header.type === 'GlobalExtendedHeader') return true;
    const read = (): Promise<string> => this.#extension(body);
    if (header.type === 'ExtendedHeader') {
      this.#extended = { ...this.#extended, ...defined(this.#tar.Pax.parse(await read())) };
    } else if (header.type === 'NextFileHasLongPath' || header.type === 'OldGnuLongPath') {
      this.#extended = { ...this.#extended, path: untilNul(await read()) };
    } else if (header.type === 'NextFileHasLongLinkpath') {
      this.#extended = { ...this.#extended, linkpath: untilNul(await read()) };
    } else {
      return false;
    }
    return true;
  }

  /** The last of several entries with one name counts, as tar has it. */
  #note(header: Header, body: TarFile): void {
    const path = posix.normalize(this.#extended.path ?? header.path ?? '');
    const linkpath = this.#extended.linkpath ?? header.linkpath ?? '';
    this.#extended = {};
    this.#files.delete(path);
    this.#links.delete(path);
    if (header.type === 'SymbolicLink') this.#links.set(path, posix.join(posix.dirname(path), linkpath));
    else if (header.type === 'Link') this.#links.set(path, posix.normalize(linkpath));
    else if (header.type === 'File' || header.type === 'OldFile') this.#files.set(path, body);
  }

  async #extension({ offset, size }: TarFile): Promise<string> {
    if (size > maxExtension) this.#invalid('an extended header is too large');
    return (await this.#read(offset, size)).toString();
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, position + done);
      if (bytesRead === 0) this.#invalid('it ends within a header');
      done += bytesRead;
    }
    return buffer;
  }

  #invalid(rule: string): never {
    throw new TransportError('INVALID_ARCHIVE', `${this.#label} is not a sound tar archive: ${rule}`);
  }
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

/** Without members that are undefined, which would hide those of an earlier extended header. */
function defined(data: HeaderData): HeaderData {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

function untilNul(text: string): string {
  return text.split('\0', 1)[0] ?? '';
}
