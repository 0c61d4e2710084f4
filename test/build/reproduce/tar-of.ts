import { encodeHeader, endOfArchive, paddingFor, type TarEntryType } from '../../../src/layer/index.ts';

/** An entry as a test writes it. */
export interface Entry {
  readonly name: string;
  readonly type: TarEntryType;
  readonly content?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly link?: string;
  /** Seconds. */
  readonly mtime?: number;
}

export function tarOf(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap(({ name, type, content = '', mode = 0o644, uid = 0, link, mtime = 0 }) => {
    const header = encodeHeader({
      name: Buffer.from(name),
      type,
      mode,
      uid,
      gid: 0,
      size: content.length,
      mtimeNs: BigInt(mtime) * 1_000_000_000n,
      ...(link === undefined ? {} : { linkName: Buffer.from(link) }),
    });
    return [header, Buffer.from(content), paddingFor(content.length)];
  });
  return Buffer.concat([...parts, endOfArchive]);
}
