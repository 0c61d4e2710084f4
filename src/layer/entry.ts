/** What a tar header says, after PAX and GNU extensions are applied. Names are bytes. */
export interface TarEntry {
  /** As written, without a trailing slash. */
  readonly name: Buffer;
  readonly type: TarEntryType;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow (0 for all but files). */
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Target of a link, as written. */
  readonly linkName?: Buffer;
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes (PAX `SCHILY.xattr.*`). */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';
