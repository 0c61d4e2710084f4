import { readFileSync } from 'node:fs';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { writeCacheFile } from './cache-file.ts';
import type { Listing, ListingEntry } from './listing.ts';

const head = 'slipway listing 1';
/** Beyond that nobody reads an explanation, and it would only fill the disk. */
const mostEntries = 200_000;
const largestText = 256 << 20;
const largestFolder = { bytes: 64 << 20, files: 2000 };

/**
 * Writes down what was selected, for whoever asks later why it is another selection: lines `kind mode owner content path`, zstd.
 * Nothing depends on it: where it cannot be written there is no explanation.
 */
export function writeListing(file: string, entries: readonly ListingEntry[]): void {
  const lines = entries
    .slice(0, mostEntries)
    .map(({ kind, mode, owner, content, path }) => JSON.stringify([kind, mode, owner, content, path]));
  const bytes = zstdCompressSync(Buffer.from(`${head} ${entries.length}\n${lines.join('\n')}\n`));
  writeCacheFile(file, bytes, largestFolder);
}

/** undefined: there is none, or it cannot be read. */
export function readListing(file: string): Listing | undefined {
  try {
    return parseListing(zstdDecompressSync(readFileSync(file), { maxOutputLength: largestText }).toString('utf8'));
  } catch {
    return undefined;
  }
}

function parseListing(text: string): Listing | undefined {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const total = first.startsWith(`${head} `) ? Number(first.slice(head.length + 1)) : Number.NaN;
  if (!Number.isSafeInteger(total)) return undefined;
  const entries = lines.filter((line) => line !== '').map(parseLine);
  return { entries, complete: entries.length === total };
}

/** @throws Error for what is no entry */
function parseLine(line: string): ListingEntry {
  const fields: unknown = JSON.parse(line);
  if (!Array.isArray(fields) || fields.length !== 5 || !fields.every((field) => typeof field === 'string')) {
    throw new Error('not an entry of a listing');
  }
  const [kind = '', mode = '', owner = '', content = '', path = ''] = fields;
  if (kind !== 'f' && kind !== 'd' && kind !== 'l' && kind !== 's') throw new Error('not an entry of a listing');
  return { kind, mode, owner, content, path };
}
