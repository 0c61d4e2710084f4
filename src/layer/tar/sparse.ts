import { LayerError } from '../error.ts';
import { type Field, gnu, numberOf } from './header.ts';
import type { PaxRecords } from './pax.ts';

/** A run of stored bytes and where it lies in the file. */
export interface SparseRun {
  readonly offset: number;
  readonly length: number;
}

/** A sparse file's map: what is stored, in order; the rest up to `size` is holes. */
export interface SparseMap {
  readonly size: number;
  readonly runs: readonly SparseRun[];
}

const maxRuns = 1_000_000;
const oldRuns: Field = gnu.sparse;
const extensionRuns: Field = [0, 504];

/** Whether more blocks with runs follow this header or extension block (GNU's old form, type S). */
export function hasExtension(block: Buffer, kind: 'header' | 'extension'): boolean {
  return (block[kind === 'header' ? gnu.isExtended[0] : 504] ?? 0) !== 0;
}

/** The runs written in a header of type S or in an extension block, appended to `runs`. */
export function readOldRuns(block: Buffer, kind: 'header' | 'extension', runs: SparseRun[]): void {
  const [start, length] = kind === 'header' ? oldRuns : extensionRuns;
  for (let at = start; at + 24 <= start + length; at += 24) {
    if ((block[at] ?? 0) === 0 && (block[at + 12] ?? 0) === 0) return;
    addRun(runs, BigInt(numberOf(block, [at, 12])), BigInt(numberOf(block, [at + 12, 12])));
  }
}

/** PAX forms 0.0 (repeated offset and numbytes) and 0.1 (one comma-separated map); undefined where there is none. */
export function runsOfPax(records: PaxRecords): SparseRun[] | undefined {
  const map = records.findLast(([key]) => key === 'GNU.sparse.map')?.[1];
  const numbers =
    map === undefined ? repeatedNumbers(records) : map.length === 0 ? [] : map.toString('latin1').split(',');
  if (numbers === undefined) return undefined;
  if (numbers.length % 2 !== 0) throw invalid();
  const runs: SparseRun[] = [];
  for (let at = 0; at < numbers.length; at += 2) addRun(runs, decimal(numbers[at]), decimal(numbers[at + 1]));
  return runs;
}

function repeatedNumbers(records: PaxRecords): string[] | undefined {
  const numbers: string[] = [];
  let seen = false;
  for (const [key, value] of records) {
    if (key === 'GNU.sparse.numblocks') seen = true;
    const wanted = numbers.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
    if (key !== 'GNU.sparse.offset' && key !== 'GNU.sparse.numbytes') continue;
    if (key !== wanted) throw invalid();
    numbers.push(value.toString('latin1'));
  }
  return seen || numbers.length > 0 ? numbers : undefined;
}

/** PAX form 1.0: the map stands before the content, as lines of decimal numbers in whole blocks. */
export class SparseMapReader {
  readonly runs: SparseRun[] = [];
  #text = '';
  #count: number | undefined;
  #offset: bigint | undefined;

  /** Takes one block; true when the map is complete. @throws LayerError INVALID_TAR */
  add(block: Buffer): boolean {
    const lines = (this.#text + block.toString('latin1')).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      this.#number(decimal(line));
      if (this.#done()) return true;
    }
    if (this.#text.length > 20) throw invalid();
    return false;
  }

  #number(value: bigint): void {
    if (this.#count === undefined) {
      if (value > BigInt(maxRuns)) throw tooMany();
      this.#count = Number(value);
    } else if (this.#offset === undefined) {
      this.#offset = value;
    } else {
      addRun(this.runs, this.#offset, value);
      this.#offset = undefined;
    }
  }

  #done(): boolean {
    return this.#count === this.runs.length && this.#offset === undefined;
  }
}

/**
 * Checks that runs are in order, do not overlap, lie within the file and hold exactly the stored bytes.
 * @throws LayerError INVALID_TAR
 */
export function sparseMap(runs: readonly SparseRun[], size: number, stored: number): SparseMap {
  let end = 0;
  let sum = 0;
  for (const run of runs) {
    if (run.offset < end) throw invalid();
    end = run.offset + run.length;
    sum += run.length;
  }
  if (end > size || sum !== stored) throw invalid();
  return { size, runs: runs.filter((run) => run.length > 0) };
}

function addRun(runs: SparseRun[], offset: bigint, length: bigint): void {
  if (runs.length >= maxRuns) throw tooMany();
  if (offset < 0n || length < 0n || offset + length > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid();
  runs.push({ offset: Number(offset), length: Number(length) });
}

function decimal(text: string | undefined): bigint {
  if (text === undefined || !/^[0-9]{1,20}$/.test(text)) throw invalid();
  return BigInt(text);
}

function invalid(): LayerError {
  return new LayerError('INVALID_TAR', 'malformed map of a sparse file');
}

function tooMany(): LayerError {
  return new LayerError('TOO_LARGE', `sparse file with more than ${maxRuns} pieces`);
}
