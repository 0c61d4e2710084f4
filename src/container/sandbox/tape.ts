import { constants } from 'node:os';
import type { Machine } from '../seccomp/filter.ts';
import { syscallNumbers } from '../seccomp/numbers.ts';
import { dataAddress, tapeExecutable } from './elf.ts';

export type Errno = keyof typeof constants.errno;

export interface CallOptions {
  /** Failures that are none. */
  readonly tolerate?: readonly Errno[] | 'all';
  /** The next call is only for when this one fails in a tolerated way. */
  readonly elseNext?: boolean;
  /** What this call is for, as the object of "cannot …". */
  readonly purpose: string;
}

/** A failed call, as the program reports it. */
export interface TapeFailure {
  readonly index: number;
  readonly errno: number;
  readonly purpose: string;
}

const allErrnos = 0xffff_ffff_ffff_fffen;
const skipsNext = 1n;

/**
 * A list of system calls that becomes an executable of its own: it needs no interpreter, no library and no file of the root
 * it acts on. Addresses are final when they are given, because the executable is mapped at a fixed place.
 */
export class Tape {
  readonly machine: Machine;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #start: number;
  readonly #texts = new Map<string, number>();
  readonly #data: Buffer[] = [];
  readonly #records: Buffer[] = [];
  readonly #purposes: string[] = [];
  #size = 0;

  constructor(machine: Machine) {
    this.machine = machine;
    this.#numbers = syscallNumbers(machine);
    this.#start = dataAddress(machine);
  }

  /** How many calls there are: the index of the next one. */
  get length(): number {
    return this.#records.length;
  }

  /** Address of a C string. */
  text(value: string): number {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const address = this.bytes(Buffer.from(`${value}\0`));
    this.#texts.set(value, address);
    return address;
  }

  /** Address of a copy of `value`, aligned for any use. */
  bytes(value: Buffer): number {
    const address = this.#start + this.#size;
    const padding = Buffer.alloc(-value.length & 15);
    this.#data.push(value, padding);
    this.#size += value.length + padding.length;
    return address;
  }

  /** Address of an array of 64-bit words. */
  words(values: readonly (number | bigint)[]): number {
    const bytes = Buffer.alloc(values.length * 8);
    for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8);
    return this.bytes(bytes);
  }

  /** Address of an array of C strings that ends in NULL, as execve takes it. */
  texts(values: readonly string[]): number {
    return this.words([...values.map((value) => this.text(value)), 0]);
  }

  /** Adds a call; absent arguments are 0, negative ones are sign-extended. */
  call(name: string, args: readonly (number | bigint)[], options: CallOptions): void {
    const number = this.#numbers.get(name);
    if (number === undefined) throw new RangeError(`no number of the system call ${name} on ${this.machine}`);
    const record = Buffer.alloc(64);
    record.writeBigUInt64LE(BigInt(number), 0);
    for (const [index, arg] of args.entries()) {
      record.writeBigUInt64LE(BigInt.asUintN(64, BigInt(arg)), 8 + index * 8);
    }
    record.writeBigUInt64LE(flagsOf(options), 56);
    this.#records.push(record);
    this.#purposes.push(options.purpose);
  }

  /** What the eight bytes on descriptor 3 mean. */
  failure(report: Buffer): TapeFailure {
    const index = report.readUInt32LE(0);
    return { index, errno: report.readUInt32LE(4), purpose: this.#purposes[index] ?? 'go on' };
  }

  executable(): Buffer {
    return tapeExecutable(this.machine, Buffer.concat(this.#data), Buffer.concat(this.#records));
  }
}

function flagsOf(options: CallOptions): bigint {
  const tolerated = options.tolerate ?? [];
  const skip = options.elseNext === true ? skipsNext : 0n;
  if (tolerated === 'all') return allErrnos | skip;
  return tolerated.reduce((flags, name) => flags | (1n << BigInt(constants.errno[name])), skip);
}
