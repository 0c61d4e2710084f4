import { listEntries, type TarEntry, type TarEntryType } from '../layer/index.ts';

/** One path of a layer or of an image, as listings show it. Names are bytes decoded as UTF-8, lossy. */
export interface TreeRow {
  readonly path: string;
  readonly type: TarEntryType;
  /** 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly link?: string | undefined;
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
}

/** What a layer does: paths it writes, paths it deletes, folders whose lower content it hides. */
export interface LayerTree {
  readonly rows: readonly TreeRow[];
  readonly deleted: readonly string[];
  readonly opaque: readonly string[];
}

const whiteout = '.wh.';
const opaqueMark = '.wh..wh..opq';

/**
 * Lists a layer from its tar, compressed or not (image-spec, layer.md "Whiteouts").
 * @throws LayerError for what is no layer
 */
export async function readLayerTree(source: AsyncIterable<Uint8Array>): Promise<LayerTree> {
  const rows: TreeRow[] = [];
  const deleted: string[] = [];
  const opaque: string[] = [];
  for await (const entry of listEntries(source)) {
    const path = cleanPath(entry.name);
    const slash = path.lastIndexOf('/');
    const [folder, name] = [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
    if (name === opaqueMark) opaque.push(folder);
    else if (name.startsWith(whiteout)) deleted.push(joinPath(folder, name.slice(whiteout.length)));
    else rows.push(rowOf(path, entry));
  }
  return { rows, deleted, opaque };
}

function cleanPath(name: Buffer): string {
  return name
    .toString('utf8')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function rowOf(path: string, entry: TarEntry): TreeRow {
  return {
    path,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtime: Number(entry.mtimeNs / 1_000_000_000n),
    ...(entry.linkName === undefined ? {} : { link: entry.linkName.toString('utf8') }),
    ...(entry.device === undefined ? {} : { device: entry.device }),
  };
}
