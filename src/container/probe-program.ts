/** A processor's programs, as an ELF header says it, and the code that ends one with status 0. */
interface Processor {
  readonly bits: 32 | 64;
  readonly bigEndian?: true;
  /** e_machine. */
  readonly machine: number;
  /** e_flags. */
  readonly flags?: number;
  /** `exit(0)`; instructions as 32-bit words in the processor's order, or bytes. */
  readonly code: readonly number[] | Buffer;
}

const processors: Readonly<Record<string, Processor>> = {
  // mov eax, 60; xor edi, edi; syscall
  amd64: { bits: 64, machine: 62, code: Buffer.from('b83c00000031ff0f05', 'hex') },
  // mov eax, 1; xor ebx, ebx; int 0x80
  '386': { bits: 32, machine: 3, code: Buffer.from('b80100000031dbcd80', 'hex') },
  // mov x0, 0; mov x8, 93; svc 0
  arm64: { bits: 64, machine: 183, code: [0xd2800000, 0xd2800ba8, 0xd4000001] },
  // mov r0, 0; mov r7, 1; svc 0 (EABI 5)
  arm: { bits: 32, machine: 40, flags: 0x05000000, code: [0xe3a00000, 0xe3a07001, 0xef000000] },
  // li a0, 0; li a7, 93; ecall
  riscv64: { bits: 64, machine: 243, code: [0x00000513, 0x05d00893, 0x00000073] },
  // li r0, 1; li r3, 0; sc (ELF v2)
  ppc64le: { bits: 64, machine: 21, flags: 2, code: [0x38000001, 0x38600000, 0x44000002] },
  // lghi r2, 0; svc 1
  s390x: { bits: 64, bigEndian: true, machine: 22, code: Buffer.from('a72900000a01', 'hex') },
  // li v0, 5058; li a0, 0; syscall (n64)
  mips64le: { bits: 64, machine: 8, flags: 0x80000007, code: [0x240213c2, 0x24040000, 0x0000000c] },
  mips64: { bits: 64, bigEndian: true, machine: 8, flags: 0x80000007, code: [0x240213c2, 0x24040000, 0x0000000c] },
  // ori a7, zero, 93; ori a0, zero, 0; syscall 0
  loong64: { bits: 64, machine: 258, flags: 0x43, code: [0x0381740b, 0x03800004, 0x002b0000] },
};

const loadAt = 0x400000;

/** A static program that does nothing and succeeds; undefined for a processor that we do not know. */
export function probeProgram(architecture: string): Buffer | undefined {
  const processor = Object.hasOwn(processors, architecture) ? processors[architecture] : undefined;
  if (processor === undefined) return undefined;
  const headers = processor.bits === 64 ? 64 + 56 : 52 + 32;
  const code = codeOf(processor);
  const program = Buffer.alloc(headers + code.length);
  writeHeaders(processor, program, headers);
  code.copy(program, headers);
  return program;
}

function codeOf({ code, bigEndian }: Processor): Buffer {
  if (Buffer.isBuffer(code)) return code;
  const bytes = Buffer.alloc(code.length * 4);
  code.forEach((word, at) => (bigEndian ? bytes.writeUInt32BE(word, at * 4) : bytes.writeUInt32LE(word, at * 4)));
  return bytes;
}

/** The ELF header and one segment that is the whole file, readable and executable (System V gABI, chapters 4 and 5). */
function writeHeaders({ bits, bigEndian, machine, flags = 0 }: Processor, program: Buffer, headers: number): void {
  let at = 0;
  const put = (value: number, bytes: 2 | 4 | 8): void => {
    if (bytes === 8) {
      if (bigEndian) program.writeBigUInt64BE(BigInt(value), at);
      else program.writeBigUInt64LE(BigInt(value), at);
    } else if (bigEndian) program.writeUIntBE(value, at, bytes);
    else program.writeUIntLE(value, at, bytes);
    at += bytes;
  };
  const word = bits === 64 ? 8 : 4;
  const elfHeader = bits === 64 ? 64 : 52;
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, bigEndian ? 2 : 1, 1]).copy(program);
  at = 16;
  put(2, 2); // ET_EXEC
  put(machine, 2);
  put(1, 4);
  put(loadAt + headers, word); // e_entry
  put(elfHeader, word); // e_phoff
  put(0, word);
  put(flags, 4);
  for (const half of [elfHeader, headers - elfHeader, 1, 0, 0, 0]) put(half, 2);
  put(1, 4); // PT_LOAD
  if (bits === 64) put(5, 4);
  for (const field of [0, loadAt, loadAt, program.length, program.length]) put(field, word);
  if (bits === 32) put(5, 4);
  put(0x10000, word); // p_align: the largest page of any of them
}
