/** What is read and changed of a 64-bit little-endian ELF file (System V ABI, chapters 4 and 5). */
interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly address: bigint;
  readonly fileSize: bigint;
  readonly memorySize: bigint;
  readonly align: bigint;
}

const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]); // \x7fELF, 64 bits, little-endian
const fileHeaderSize = 64;
const programHeaderSize = 56;
const [ptLoad, ptNote, ptPhdr] = [1, 4, 6];
const readable = 4;
/** The largest page of x64 and arm64 kernels: a segment that starts at one can be mapped by each of them. */
const page = 0x10000n;

/** Where the fields are that change. */
const at = { programHeaders: 32, sectionHeaders: 40, programHeaderCount: 56, sectionHeaderCount: 60, sectionNames: 62 };

/**
 * An executable with one more note, in a segment of its own that is mapped when it runs. What no segment holds (symbols and
 * section headers, which only debuggers read) is left out.
 *
 * The program headers move to the end, where there is room for two more. Their distance from the file's start is that which they
 * have in memory: kernels before 5.18 tell the dynamic linker an address that is computed so.
 * @throws Error if `elf` is not such an executable
 */
export function withNote(elf: Buffer, name: string, content: Uint8Array): Buffer {
  const headers = programHeaders(elf);
  const loads = headers.filter(({ type }) => type === ptLoad);
  const first = loads[0];
  if (first === undefined || first.offset !== 0n) throw new Error('the first segment does not begin with the file');
  const contentEnd = loads.map(({ offset, fileSize }) => offset + fileSize).reduce(larger, 0n);
  const memoryEnd = loads.map(({ address, memorySize }) => address + memorySize).reduce(larger, 0n) - first.address;
  const offset = roundUp(larger(contentEnd, memoryEnd), page);
  const address = first.address + offset;

  const note = noteOf(name, content);
  const count = headers.length + 2;
  const tableSize = BigInt(count * programHeaderSize);
  const size = tableSize + BigInt(note.length);
  const added = { flags: readable, offset, address, fileSize: size, memorySize: size, align: page };
  const table = [
    ...headers.map((header) =>
      header.type === ptPhdr ? { ...header, offset, address, fileSize: tableSize, memorySize: tableSize } : header,
    ),
    { ...added, type: ptLoad },
    {
      ...added,
      type: ptNote,
      offset: offset + tableSize,
      address: address + tableSize,
      fileSize: BigInt(note.length),
      memorySize: BigInt(note.length),
      align: 4n,
    },
  ];

  const made = Buffer.alloc(Number(offset + size));
  elf.copy(made, 0, 0, Number(contentEnd));
  made.writeBigUInt64LE(offset, at.programHeaders);
  made.writeUInt16LE(count, at.programHeaderCount);
  made.writeBigUInt64LE(0n, at.sectionHeaders);
  made.writeUInt16LE(0, at.sectionHeaderCount);
  made.writeUInt16LE(0, at.sectionNames);
  for (const [index, header] of table.entries())
    writeProgramHeader(made, Number(offset) + index * programHeaderSize, header);
  note.copy(made, Number(offset + tableSize));
  return made;
}

function programHeaders(elf: Buffer): ProgramHeader[] {
  if (elf.length < fileHeaderSize || !elf.subarray(0, magic.length).equals(magic))
    throw new Error('not a 64-bit little-endian ELF file');
  const start = Number(elf.readBigUInt64LE(at.programHeaders));
  const count = elf.readUInt16LE(at.programHeaderCount);
  if (start + count * programHeaderSize > elf.length) throw new Error('the program headers are outside of the file');
  return Array.from({ length: count }, (_, index) => {
    const position = start + index * programHeaderSize;
    return {
      type: elf.readUInt32LE(position),
      flags: elf.readUInt32LE(position + 4),
      offset: elf.readBigUInt64LE(position + 8),
      address: elf.readBigUInt64LE(position + 16),
      fileSize: elf.readBigUInt64LE(position + 32),
      memorySize: elf.readBigUInt64LE(position + 40),
      align: elf.readBigUInt64LE(position + 48),
    };
  });
}

function writeProgramHeader(elf: Buffer, position: number, header: ProgramHeader): void {
  elf.writeUInt32LE(header.type, position);
  elf.writeUInt32LE(header.flags, position + 4);
  elf.writeBigUInt64LE(header.offset, position + 8);
  elf.writeBigUInt64LE(header.address, position + 16);
  elf.writeBigUInt64LE(header.address, position + 24); // the physical address, which nobody reads
  elf.writeBigUInt64LE(header.fileSize, position + 32);
  elf.writeBigUInt64LE(header.memorySize, position + 40);
  elf.writeBigUInt64LE(header.align, position + 48);
}

/** Sizes of name and content, a type, and both, each filled up to four bytes. */
function noteOf(name: string, content: Uint8Array): Buffer {
  const nameBytes = Buffer.from(`${name}\0`);
  const nameSize = Number(roundUp(BigInt(nameBytes.length), 4n));
  const note = Buffer.alloc(12 + nameSize + Number(roundUp(BigInt(content.length), 4n)));
  note.writeUInt32LE(nameBytes.length, 0);
  note.writeUInt32LE(content.length, 4);
  nameBytes.copy(note, 12);
  note.set(content, 12 + nameSize);
  return note;
}

function roundUp(value: bigint, unit: bigint): bigint {
  return ((value + unit - 1n) / unit) * unit;
}

function larger(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}
