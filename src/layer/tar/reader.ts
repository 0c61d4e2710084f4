import type { TarEntry } from '../entry.ts';
import { LayerError } from '../error.ts';
import { type EntryDraft, type Extensions, finishEntry, readHeader } from './entry-reader.ts';
import { blockSize, hasValidChecksum, isZeroBlock, paddingOf } from './header.ts';
import { type PaxRecords, parsePax } from './pax.ts';
import { hasExtension, readOldRuns, runsOfPax, SparseMapReader, type SparseMap, sparseMap } from './sparse.ts';

/** Who hears what a tar holds. Buffers given to `data` are only good during the call. */
export interface TarSink {
  entry(entry: TarEntry): void;
  data(chunk: Buffer): void;
  /** Zero bytes of a sparse file that are not stored. */
  hole(length: number): void;
  endEntry(): void;
}

export interface TarLimits {
  /** Bytes of content, holes of sparse files included; 64 GiB unless given. */
  readonly maxSize?: number;
}

export const defaultMaxSize = 64 * 2 ** 30;

const maxMetadata = 1 << 20;
const maxPath = 64 << 10;
const maxBlocksOfMap = 50_000;

/** What the next bytes are. */
type Phase = 'header' | 'sparse-header' | 'sparse-map' | 'metadata' | 'content' | 'padding' | 'end';

/**
 * Reads a tar that is pushed into it, block by block: ustar, PAX, GNU long names, base-256 and all sparse forms.
 * Strict where readers could disagree (security rules: checksums, lengths, unknown types); never holds content.
 * @throws LayerError INVALID_TAR, TRUNCATED, TOO_LARGE
 */
export class TarReader {
  /** Things accepted but worth saying, such as a missing end mark. */
  readonly warnings: string[] = [];
  readonly #sink: TarSink;
  #phase: Phase = 'header';
  readonly #block = Buffer.allocUnsafeSlow(blockSize);
  #filled = 0;
  #zeroBlocks = 0;
  #budget: number;
  #globals: ReadonlyMap<string, Buffer> = new Map();
  #extensions: Extensions = {};
  #draft: EntryDraft | undefined;
  #sparseBlocks = 0;
  #sparseReader = new SparseMapReader();
  #metadata: { readonly type: string; readonly body: Buffer; filled: number } | undefined;
  /** Bytes of content left in the tar, then of padding. */
  #remaining = 0;
  #padding = 0;
  #sparse: SparseCursor | undefined;

  constructor(sink: TarSink, limits: TarLimits = {}) {
    this.#sink = sink;
    this.#budget = limits.maxSize ?? defaultMaxSize;
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
  }

  /** Ends the input. @throws LayerError TRUNCATED */
  end(): void {
    if (this.#phase === 'end') return;
    const pending = Object.keys(this.#extensions).length > 0;
    // umoci insert leaves out the padding of the last file, and Go's reader takes that: nothing of the entry is missing.
    const whole = this.#phase === 'header' || this.#phase === 'padding';
    if (!whole || this.#filled > 0 || pending) {
      throw new LayerError('TRUNCATED', 'the tar ends in the middle of an entry');
    }
    this.warnings.push(this.#zeroBlocks === 0 ? 'the tar has no end mark' : 'the end mark of the tar is incomplete');
    this.#phase = 'end';
  }

  /** Takes bytes from `at` and returns where the next ones are. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#phase) {
      case 'header':
      case 'sparse-header':
      case 'sparse-map':
        return this.#takeBlock(chunk, at);
      case 'metadata':
        return this.#takeMetadata(chunk, at);
      case 'content':
        return this.#takeContent(chunk, at);
      case 'padding': {
        const taken = Math.min(this.#padding, chunk.length - at);
        this.#padding -= taken;
        if (this.#padding === 0) this.#phase = 'header';
        return at + taken;
      }
      case 'end':
        return chunk.length;
    }
  }

  #takeBlock(chunk: Buffer, at: number): number {
    if (this.#filled === 0 && chunk.length - at >= blockSize) {
      this.#onBlock(chunk.subarray(at, at + blockSize));
      return at + blockSize;
    }
    const taken = Math.min(blockSize - this.#filled, chunk.length - at);
    chunk.copy(this.#block, this.#filled, at, at + taken);
    this.#filled += taken;
    if (this.#filled === blockSize) {
      this.#filled = 0;
      this.#onBlock(this.#block);
    }
    return at + taken;
  }

  #onBlock(block: Buffer): void {
    if (this.#phase === 'header') return this.#onHeader(block);
    if (++this.#sparseBlocks > maxBlocksOfMap)
      throw new LayerError('TOO_LARGE', 'the map of a sparse file is too long');
    const draft = this.#draft as EntryDraft;
    if (this.#phase === 'sparse-header') {
      readOldRuns(block, 'extension', draft.runs);
      if (!hasExtension(block, 'extension')) this.#begin(draft, draft.runs);
      return;
    }
    draft.stored -= blockSize;
    if (draft.stored < 0) throw new LayerError('INVALID_TAR', 'the map of a sparse file is longer than the file');
    if (this.#sparseReader.add(block)) this.#begin(draft, this.#sparseReader.runs);
  }

  #onHeader(block: Buffer): void {
    if (isZeroBlock(block)) return this.#onZeroBlock();
    if (this.#zeroBlocks > 0) throw new LayerError('INVALID_TAR', 'a lone zero block inside the tar');
    if (!hasValidChecksum(block)) throw new LayerError('INVALID_TAR', 'wrong checksum of a tar header');
    const draft = readHeader(block);
    if (isMetadata(draft.typeFlag)) return this.#beginMetadata(draft);
    finishEntry(draft, this.#mergedRecords(), this.#extensions, this.warnings);
    this.#draft = draft;
    this.#sparseBlocks = 0;
    if (draft.typeFlag === 'S') {
      readOldRuns(block, 'header', draft.runs);
      if (hasExtension(block, 'header')) this.#phase = 'sparse-header';
      else this.#begin(draft, draft.runs);
    } else if (draft.sparseMapInContent) {
      this.#sparseReader = new SparseMapReader();
      this.#phase = 'sparse-map';
    } else {
      const { records } = this.#extensions;
      this.#begin(draft, records === undefined ? undefined : runsOfPax(records));
    }
  }

  #onZeroBlock(): void {
    if (Object.keys(this.#extensions).length > 0) {
      throw new LayerError('INVALID_TAR', 'extended header without an entry');
    }
    if (++this.#zeroBlocks === 2) this.#phase = 'end';
  }

  #mergedRecords(): ReadonlyMap<string, Buffer> {
    const own = this.#extensions.records;
    return own === undefined ? this.#globals : mergeRecords(this.#globals, own);
  }

  #beginMetadata(draft: EntryDraft): void {
    const type = draft.typeFlag;
    const { size } = draft;
    if (size > maxMetadata) throw new LayerError('TOO_LARGE', `extended header of ${size} bytes`);
    if (size < 0) throw new LayerError('INVALID_TAR', 'negative size of an extended header');
    const twice =
      type === 'x' ? this.#extensions.records : type === 'L' ? this.#extensions.name : this.#extensions.linkName;
    // Two readers that take different ones of two headers see two different files.
    if (type === 'g' ? this.#extensions.records !== undefined : twice !== undefined) {
      throw new LayerError('INVALID_TAR', 'two extended headers for one entry');
    }
    this.#metadata = { type, body: Buffer.alloc(size), filled: 0 };
    this.#padding = paddingOf(size);
    this.#phase = 'metadata';
    if (size === 0) this.#endMetadata();
  }

  #takeMetadata(chunk: Buffer, at: number): number {
    const metadata = this.#metadata;
    if (metadata === undefined) return chunk.length;
    const taken = chunk.copy(metadata.body, metadata.filled, at);
    metadata.filled += taken;
    if (metadata.filled === metadata.body.length) this.#endMetadata();
    return at + taken;
  }

  #endMetadata(): void {
    const { type, body } = this.#metadata as { type: string; body: Buffer };
    if (type === 'x') this.#extensions.records = parsePax(body);
    else if (type === 'g') this.#globals = mergeRecords(this.#globals, parsePax(body));
    else if (type === 'L') this.#extensions.name = longName(body);
    else this.#extensions.linkName = longName(body);
    this.#metadata = undefined;
    this.#phase = this.#padding > 0 ? 'padding' : 'header';
  }

  #begin(draft: EntryDraft, runs: EntryDraft['runs'] | undefined): void {
    const map = runs === undefined ? undefined : sparseMap(runs, draft.realSize ?? draft.stored, draft.stored);
    const size = map?.size ?? draft.stored;
    if (size > this.#budget) {
      throw new LayerError('TOO_LARGE', `the layer unpacks to more than is allowed (entry of ${size} bytes)`);
    }
    this.#budget -= size;
    this.#extensions = {};
    this.#draft = undefined;
    this.#remaining = draft.stored;
    this.#padding = paddingOf(draft.stored);
    this.#sparse = map === undefined ? undefined : new SparseCursor(map, this.#sink);
    this.#sink.entry(entryOf(draft, size));
    if (draft.stored === 0) this.#endContent();
    else this.#phase = 'content';
  }

  #takeContent(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#remaining, chunk.length - at);
    const piece = at === 0 && taken === chunk.length ? chunk : chunk.subarray(at, at + taken);
    if (this.#sparse === undefined) this.#sink.data(piece);
    else this.#sparse.data(piece);
    this.#remaining -= taken;
    if (this.#remaining === 0) this.#endContent();
    return at + taken;
  }

  #endContent(): void {
    this.#sparse?.end();
    this.#sparse = undefined;
    this.#sink.endEntry();
    this.#phase = this.#padding > 0 ? 'padding' : 'header';
  }
}

/** Puts the holes back between the stored pieces. */
class SparseCursor {
  readonly #map: SparseMap;
  readonly #sink: TarSink;
  #run = 0;
  #inRun = 0;
  #position = 0;

  constructor(map: SparseMap, sink: TarSink) {
    this.#map = map;
    this.#sink = sink;
  }

  data(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      const run = this.#map.runs[this.#run];
      if (run === undefined) return;
      if (this.#inRun === 0) this.#skipTo(run.offset);
      const taken = Math.min(run.length - this.#inRun, piece.length - at);
      this.#sink.data(piece.subarray(at, at + taken));
      at += taken;
      this.#position += taken;
      this.#inRun += taken;
      if (this.#inRun < run.length) continue;
      this.#run++;
      this.#inRun = 0;
    }
  }

  end(): void {
    this.#skipTo(this.#map.size);
  }

  #skipTo(offset: number): void {
    if (offset > this.#position) this.#sink.hole(offset - this.#position);
    this.#position = offset;
  }
}

function isMetadata(typeFlag: string): boolean {
  return typeFlag === 'x' || typeFlag === 'g' || typeFlag === 'L' || typeFlag === 'K';
}

function longName(body: Buffer): Buffer {
  const end = body.indexOf(0);
  const name = end === -1 ? body : body.subarray(0, end);
  if (name.length > maxPath) throw new LayerError('TOO_LARGE', `a name of ${name.length} bytes`);
  return Buffer.from(name);
}

/** An empty value takes a record back (pax(1)). */
function mergeRecords(base: ReadonlyMap<string, Buffer>, records: PaxRecords): ReadonlyMap<string, Buffer> {
  const merged = new Map(base);
  for (const [key, value] of records) {
    if (value.length === 0) merged.delete(key);
    else merged.set(key, value);
    if (value.length > maxPath && (key === 'path' || key === 'linkpath')) {
      throw new LayerError('TOO_LARGE', `a name of ${value.length} bytes`);
    }
  }
  return merged;
}

function entryOf(draft: EntryDraft, size: number): TarEntry {
  const { name, type, mode, uid, gid, mtimeNs } = draft;
  const entry: { -readonly [Key in keyof TarEntry]: TarEntry[Key] } = { name, type, mode, uid, gid, size, mtimeNs };
  if (draft.linkName !== undefined) entry.linkName = draft.linkName;
  if (draft.device !== undefined) entry.device = draft.device;
  if (draft.xattrs !== undefined) entry.xattrs = draft.xattrs;
  return entry;
}
