import type { CallOptions, Compression, Digest } from '../oci/index.ts';
import type { Privileges } from '../system/index.ts';

/** How deletions of a layer are put on disk. */
export type WhiteoutForm =
  /** `dir` holds one layer alone, for use as an overlay lower: character devices 0:0 and opaque attributes. */
  | 'overlay'
  /** `dir` is the whole tree below this layer: deletions are carried out. */
  | 'delete'
  /** As `delete`, but for archives that are no layers: names that begin with `.wh.` mean nothing. */
  | 'literal';

export interface ApplyOptions extends CallOptions {
  readonly privileges: Privileges;
  readonly whiteouts: WhiteoutForm;
  /**
   * For `overlay`: folders of the layers below, uppermost first, each in overlay form. Asked for only when an entry
   * needs them (an implied parent, a link out of the layer).
   */
  readonly lowers?: readonly string[];
  /** Owner of every entry in place of its own (ADD --chown); parents that have no entry are not meant. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Uncompressed bytes allowed; 64 GiB unless given. */
  readonly maxSize?: number;
}

export interface AppliedLayer {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  readonly entries: number;
  /** Things accepted but worth saying, for people. */
  readonly warnings: readonly string[];
}

/** A layer made from a folder: what commit knows of it without having compressed it. */
export interface DraftLayer {
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly size: number;
  readonly entries: number;
}

export interface DiffOptions {
  readonly privileges: Privileges;
  /** Folders of the layers below, uppermost first, in overlay form: to leave out what did not change. */
  readonly lowers: readonly string[];
  /**
   * Where the header list goes: every tar header and PAX record verbatim, with payloads by path, so that the same bytes
   * come out of the folder under any later version.
   */
  readonly headerList: string;
  /** Seconds since 1970; later times in headers become this, and things that only differ in such times are the same. */
  readonly clampTo?: number | undefined;
  /** A folder that everything is put below in the tar; it gets an entry of its own. */
  readonly prefix?: string;
}

/** A diff as data, for whichever thread does it. */
export interface LayerTask {
  readonly folder: string;
  /** Of a whole tree, by `recordStats`; unless given, the folder is an overlay's upper. */
  readonly statsFile?: string | undefined;
  readonly options: DiffOptions;
}

export interface CompressOptions extends CallOptions {
  readonly compression: Compression;
  readonly level?: number;
}
