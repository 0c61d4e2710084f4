import type { Machine } from '../seccomp/filter.ts';

/** Where the file is mapped, whole: any free place below 4 GiB, so that the code can load it in one instruction. */
const base = 0x1000_0000;
const fileHeaderSize = 64;
const programHeaderSize = 56;
const codeStart = fileHeaderSize + 2 * programHeaderSize;

/**
 * The program that plays a tape. A record is eight little-endian words of 64 bits: number, six arguments, flags. It makes the
 * calls in order; `flags` has bit N set if failing with errno N is no failure, and bit 0 (no errno) if success skips the next
 * record. At any other failure it writes `index | errno << 32` to descriptor 3 and exits with 125. The tape itself ends in
 * execve or exit.
 */
const code: Readonly<Record<Machine, (records: number) => Buffer>> = {
  x64: (records) =>
    Buffer.concat([
      hex('bb'), //           mov ebx, records
      word(records),
      hex('488b03'), // next: mov rax, [rbx]
      hex('488b7b08'), //     mov rdi, [rbx+8]
      hex('488b7310'), //     mov rsi, [rbx+16]
      hex('488b5318'), //     mov rdx, [rbx+24]
      hex('4c8b5320'), //     mov r10, [rbx+32]
      hex('4c8b4328'), //     mov r8, [rbx+40]
      hex('4c8b4b30'), //     mov r9, [rbx+48]
      hex('0f05'), //         syscall
      hex('488b4b38'), //     mov rcx, [rbx+56]
      hex('4883c340'), //     add rbx, 64
      hex('4885c0'), //       test rax, rax
      hex('780b'), //         js failed
      hex('f6c101'), //       test cl, 1
      hex('74d1'), //         jz next
      hex('4883c340'), //     add rbx, 64
      hex('ebcb'), //         jmp next
      hex('f7d8'), // failed: neg eax
      hex('480fa3c1'), //     bt rcx, rax
      hex('72c3'), //         jc next
      hex('48c1e020'), //     shl rax, 32
      hex('be'), //           mov esi, records
      word(records),
      hex('29f3'), //         sub ebx, esi
      hex('c1eb06'), //       shr ebx, 6
      hex('ffcb'), //         dec ebx
      hex('4809d8'), //       or rax, rbx
      hex('50'), //           push rax
      hex('4889e6'), //       mov rsi, rsp
      hex('6a085a'), //       push 8; pop rdx
      hex('6a035f'), //       push 3; pop rdi
      hex('6a0158'), //       push 1; pop rax      write
      hex('0f05'), //         syscall
      hex('6a7d5f'), //       push 125; pop rdi
      hex('b8e7000000'), //   mov eax, 231         exit_group
      hex('0f05'), //         syscall
    ]),
  arm64: (records) =>
    words([
      0xd2800013 | ((records & 0xffff) << 5), //   movz x19, low half of records
      0xf2a00013 | ((records >>> 16) << 5), //     movk x19, high half, lsl 16
      0xaa1303f4, //                               mov x20, x19
      0xa9400268, //                         next: ldp x8, x0, [x19]
      0xa9410a61, //                               ldp x1, x2, [x19, 16]
      0xa9421263, //                               ldp x3, x4, [x19, 32]
      0xa9432665, //                               ldp x5, x9, [x19, 48]
      0xd4000001, //                               svc 0
      0x91010273, //                               add x19, x19, 64
      0xb7f80080, //                               tbnz x0, 63, failed
      0x3607ff29, //                               tbz x9, 0, next
      0x91010273, //                               add x19, x19, 64
      0x17fffff7, //                               b next
      0xcb0003e0, //                       failed: neg x0, x0
      0x9ac0252a, //                               lsr x10, x9, x0
      0x3707fe8a, //                               tbnz x10, 0, next
      0xcb140273, //                               sub x19, x19, x20
      0xd346fe73, //                               lsr x19, x19, 6
      0xd1000673, //                               sub x19, x19, 1
      0xaa008260, //                               orr x0, x19, x0, lsl 32
      0xf81f0fe0, //                               str x0, [sp, -16]!
      0x910003e1, //                               mov x1, sp
      0xd2800060, //                               mov x0, 3
      0xd2800102, //                               mov x2, 8
      0xd2800808, //                               mov x8, 64        write
      0xd4000001, //                               svc 0
      0xd2800fa0, //                               mov x0, 125
      0xd2800bc8, //                               mov x8, 94        exit_group
      0xd4000001, //                               svc 0
    ]),
};

const machineNumbers: Readonly<Record<Machine, number>> = { x64: 62, arm64: 183 };

/** Where the data of a machine's tape begins in memory; records follow the data. */
export function dataAddress(machine: Machine): number {
  return align(base + codeStart + code[machine](0).length);
}

/**
 * A static executable that plays `records` with `data` at `dataAddress`. ELF-64 (System V gABI): one segment, readable and
 * executable, because nothing in it changes; a stack that is not executable.
 */
export function tapeExecutable(machine: Machine, data: Buffer, records: Buffer): Buffer {
  const start = dataAddress(machine);
  const recordsAddress = align(start + data.length);
  const file = Buffer.alloc(recordsAddress - base + records.length);
  writeFileHeader(file, machine);
  writeProgramHeader(file, fileHeaderSize, { type: 1, flags: 5, size: file.length }); // PT_LOAD
  writeProgramHeader(file, fileHeaderSize + programHeaderSize, { type: 0x6474e551, flags: 6, size: 0 }); // PT_GNU_STACK
  code[machine](recordsAddress).copy(file, codeStart);
  data.copy(file, start - base);
  records.copy(file, recordsAddress - base);
  return file;
}

function writeFileHeader(file: Buffer, machine: Machine): void {
  hex('7f454c46020101').copy(file); // 64 bits, little-endian, version 1
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(machineNumbers[machine], 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(base + codeStart), 24); // entry
  file.writeBigUInt64LE(BigInt(fileHeaderSize), 32); // program headers
  file.writeUInt16LE(fileHeaderSize, 52);
  file.writeUInt16LE(programHeaderSize, 54);
  file.writeUInt16LE(2, 56);
}

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly size: number;
}

function writeProgramHeader(file: Buffer, offset: number, segment: Segment): void {
  const address = segment.size === 0 ? 0n : BigInt(base);
  file.writeUInt32LE(segment.type, offset);
  file.writeUInt32LE(segment.flags, offset + 4);
  file.writeBigUInt64LE(address, offset + 16);
  file.writeBigUInt64LE(address, offset + 24);
  file.writeBigUInt64LE(BigInt(segment.size), offset + 32);
  file.writeBigUInt64LE(BigInt(segment.size), offset + 40);
  file.writeBigUInt64LE(0x10000n, offset + 48); // the largest page of arm64
}

function align(address: number): number {
  return (address + 15) & ~15;
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function word(value: number): Buffer {
  return words([value]);
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, index * 4);
  return bytes;
}
