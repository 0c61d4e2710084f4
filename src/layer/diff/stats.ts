import fs, { type BigIntStats } from 'node:fs';
import { namesIn } from '../apply/folder.ts';
import { type ByteName, byteNameOfPath, bytesOf, systemPath } from '../apply/names.ts';
import { LayerError } from '../error.ts';
import { writeFully } from '../../system/index.ts';

/**
 * What a tree looked like before a step worked on it. The file is the magic, then for each path: u16 length of the path, the path,
 * u64 inode, i64 change time in nanoseconds, little-endian.
 */
const magic = Buffer.from('slipway-stats\x001');

const tickMs = 100;

/** Answers whether a file is the one that was recorded, untouched since. */
export interface RecordedStats {
  isUntouched(path: ByteName, stats: BigIntStats): boolean;
}

/** Walks `folder` and writes what is needed to see later what was touched; owner, mode, content and names all move the change time. */
export function recordStats(folder: string, statsFile: string): void {
  const fd = fs.openSync(statsFile, 'w', 0o600);
  try {
    // Clocks of file systems tick slowly: what changed just now could change again within the same tick, unseen.
    const settled = BigInt(Date.now() - tickMs) * 1_000_000n;
    let pieces: Buffer[] = [magic];
    let size = 0;
    for (const [path, stats] of walk(byteNameOfPath(folder), '', settled)) {
      const record = encode(path, stats);
      pieces.push(record);
      size += record.length;
      if (size < 1 << 20) continue;
      writeFully(fd, Buffer.concat(pieces));
      pieces = [];
      size = 0;
    }
    writeFully(fd, Buffer.concat(pieces));
  } finally {
    fs.closeSync(fd);
  }
}

/** @throws LayerError INVALID_STATS */
export function readStats(statsFile: string): RecordedStats {
  const bytes = fs.readFileSync(statsFile);
  if (!bytes.subarray(0, magic.length).equals(magic)) throw invalid();
  const records = new Map<ByteName, number>();
  for (let at = magic.length; at < bytes.length; ) {
    if (at + 2 > bytes.length) throw invalid();
    const end = at + 2 + bytes.readUInt16LE(at);
    if (end + 16 > bytes.length) throw invalid();
    records.set(bytes.toString('latin1', at + 2, end), end);
    at = end + 16;
  }
  return {
    isUntouched(path, stats) {
      const at = records.get(path);
      return (
        at !== undefined && bytes.readBigUInt64LE(at) === stats.ino && bytes.readBigInt64LE(at + 8) === stats.ctimeNs
      );
    },
  };
}

function encode(path: ByteName, stats: BigIntStats): Buffer {
  const name = bytesOf(path);
  const record = Buffer.allocUnsafe(18 + name.length);
  record.writeUInt16LE(name.length);
  name.copy(record, 2);
  record.writeBigUInt64LE(stats.ino, 2 + name.length);
  record.writeBigInt64LE(stats.ctimeNs, 10 + name.length);
  return record;
}

/** Folders are not recorded: whether one changed is seen by comparing, and what is in it decides anyway. */
function* walk(root: ByteName, path: ByteName, settled: bigint): Generator<[ByteName, BigIntStats]> {
  const folder = path === '' ? root : `${root}/${path}`;
  for (const name of namesIn(systemPath(folder))) {
    const child = path === '' ? name : `${path}/${name}`;
    const stats = fs.lstatSync(systemPath(`${root}/${child}`), { bigint: true });
    if (stats.isDirectory()) yield* walk(root, child, settled);
    else if (stats.ctimeNs < settled) yield [child, stats];
  }
}

function invalid(): LayerError {
  return new LayerError('INVALID_STATS', 'the recorded state of a tree cannot be read');
}
