import type { ArgumentTest } from './policy.ts';
import type { Action, Filter, Machine, Outcome } from './filter.ts';
import { type SyscallTable, syscallNumbers } from './numbers.ts';

/** One instruction of classic BPF: `struct sock_filter` of linux/filter.h. */
interface Instruction {
  readonly code: number;
  readonly k: number;
  /** How many instructions to skip when the test holds, and when not. */
  readonly jt: number;
  readonly jf: number;
}

const load = (k: number): Instruction => ({ code: 0x20, k, jt: 0, jf: 0 }); // BPF_LD | BPF_W | BPF_ABS
const and = (k: number): Instruction => ({ code: 0x54, k, jt: 0, jf: 0 });
const jump = (k: number): Instruction => ({ code: 0x05, k, jt: 0, jf: 0 });
const jumpIfEqual = (k: number, jt: number, jf: number): Instruction => ({ code: 0x15, k, jt, jf });
const jumpIfAtLeast = (k: number, jt: number, jf: number): Instruction => ({ code: 0x35, k, jt, jf });
const give = (k: number): Instruction => ({ code: 0x06, k, jt: 0, jf: 0 });

/** `struct seccomp_data`: the number, AUDIT_ARCH, the instruction pointer, six arguments of 64 bits. */
const offsets = { number: 0, architecture: 4, arguments: 16 } as const;
const longestJump = 255;

const architectures: Readonly<Record<Machine, readonly { readonly audit: number; readonly table: SyscallTable }[]>> = {
  x64: [
    { audit: 0xc000003e, table: 'x64' },
    { audit: 0x40000003, table: 'i386' },
  ],
  arm64: [{ audit: 0xc00000b7, table: 'arm64' }],
};

/**
 * A filter as the program that seccomp(SECCOMP_SET_MODE_FILTER) takes: an array of `struct sock_filter`. Calls are found by
 * binary search, because the kernel runs this at each of them. Calls of x32 count as newer ones (their numbers are above
 * 0x40000000).
 */
export function compileFilter(filter: Filter, machine: Machine): Buffer {
  const program: Instruction[] = [load(offsets.architecture)];
  for (const { audit, table } of architectures[machine]) {
    const block = [load(offsets.number), ...search(ranges(filter, table))];
    // A block is longer than a conditional jump reaches.
    program.push(jumpIfEqual(audit, 1, 0), jump(block.length), ...block);
  }
  program.push(give(returnValue(filter.foreign)));
  return encode(program);
}

/** All numbers from `from` up to the next range meet the same end. */
interface Range {
  readonly from: number;
  readonly outcome: Outcome;
}

function ranges(filter: Filter, table: SyscallTable): readonly Range[] {
  const numbers = [...syscallNumbers(table)].sort((a, b) => a[1] - b[1]);
  const otherwise: Outcome = { kind: 'always', action: filter.otherwise };
  const list: Range[] = [{ from: 0, outcome: otherwise }];
  const add = (from: number, outcome: Outcome): void => {
    const last = list.at(-1);
    if (last?.from === from) list.pop();
    const before = list.at(-1);
    if (before === undefined || !sameOutcome(before.outcome, outcome)) list.push({ from, outcome });
  };
  for (const [name, number] of numbers) {
    const outcome = filter.calls.get(name);
    if (outcome === undefined) continue;
    add(number, outcome);
    add(number + 1, otherwise);
  }
  const last = numbers.at(-1)?.[1] ?? 0;
  add(last + 1, { kind: 'always', action: filter.newer });
  return list;
}

function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a === b) return true;
  return a.kind === 'always' && b.kind === 'always' && returnValue(a.action) === returnValue(b.action);
}

/** Code that ends in a return for every number, which the accumulator holds. */
function search(list: readonly Range[]): readonly Instruction[] {
  const first = list[0];
  if (first === undefined) throw new RangeError('no range of system calls to search');
  if (list.length === 1) return leaf(first.outcome);
  const middle = list.length >> 1;
  const low = search(list.slice(0, middle));
  const high = search(list.slice(middle));
  const from = list[middle]?.from ?? 0;
  if (low.length <= longestJump) return [jumpIfAtLeast(from, low.length, 0), ...low, ...high];
  return [jumpIfAtLeast(from, 0, 1), jump(low.length), ...low, ...high];
}

function leaf(outcome: Outcome): readonly Instruction[] {
  if (outcome.kind === 'always') return [give(returnValue(outcome.action))];
  const when = give(returnValue(outcome.when));
  return [...outcome.tests.flatMap((test) => testCode(test, when)), give(returnValue(outcome.otherwise))];
}

/** Code that returns `when` if the test holds, and else goes on behind itself. */
function testCode(test: ArgumentTest, when: Instruction): readonly Instruction[] {
  const low = offsets.arguments + 8 * test.argument; // both machines are little-endian
  const high = low + 4;
  switch (test.is) {
    case 'equal':
      return [
        load(low),
        jumpIfEqual(lowHalf(test.value), 0, 3),
        load(high),
        jumpIfEqual(highHalf(test.value), 0, 1),
        when,
      ];
    case 'masked':
      return [
        load(low),
        and(lowHalf(test.mask)),
        jumpIfEqual(lowHalf(test.value), 0, 4),
        load(high),
        and(highHalf(test.mask)),
        jumpIfEqual(highHalf(test.value), 0, 1),
        when,
      ];
    case 'intNoneOf': {
      const count = test.values.length;
      return [load(low), ...test.values.map((value, index) => jumpIfEqual(value, count - index, 0)), when];
    }
  }
}

function lowHalf(value: bigint): number {
  return Number(value & 0xffffffffn);
}

function highHalf(value: bigint): number {
  return Number(value >> 32n);
}

/** SECCOMP_RET_* of linux/seccomp.h. */
function returnValue(action: Action): number {
  if (action === 'allow') return 0x7fff0000;
  if (action === 'kill') return 0x80000000;
  return 0x00050000 | action.errno;
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jt, index * 8 + 2);
    bytes.writeUInt8(jf, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  }
  return bytes;
}
