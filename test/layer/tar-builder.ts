/** Builds tars byte by byte, independently of the writer under test, so that they can be as wrong as wanted. */

export interface RawHeader {
  readonly name: string | Buffer;
  readonly type?: string;
  readonly size?: number | Buffer;
  readonly mode?: number;
  readonly uid?: number | Buffer;
  readonly gid?: number | Buffer;
  readonly mtime?: number | Buffer;
  readonly link?: string | Buffer;
  readonly major?: number | Buffer;
  readonly minor?: number | Buffer;
  /** Changes the block before its checksum is made. */
  readonly patch?: (block: Buffer) => void;
  readonly checksum?: number;
  readonly content?: string | Buffer;
}

export function header(raw: RawHeader): Buffer {
  const block = Buffer.alloc(512);
  const content = Buffer.from(raw.content ?? '');
  Buffer.from(raw.name).copy(block, 0, 0, 100);
  number(block, 100, 8, raw.mode ?? 0o644);
  number(block, 108, 8, raw.uid ?? 0);
  number(block, 116, 8, raw.gid ?? 0);
  number(block, 124, 12, raw.size ?? content.length);
  number(block, 136, 12, raw.mtime ?? 1_600_000_000);
  block.write(raw.type ?? '0', 156, 'latin1');
  Buffer.from(raw.link ?? '').copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  if (raw.major !== undefined) number(block, 329, 8, raw.major);
  if (raw.minor !== undefined) number(block, 337, 8, raw.minor);
  raw.patch?.(block);
  block.fill(0x20, 148, 156);
  const sum = raw.checksum ?? block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export const end: Buffer = Buffer.alloc(1024);

/** A whole tar with its end mark. */
export function tar(...entries: readonly (RawHeader | Buffer)[]): Buffer {
  return Buffer.concat([...entries.map((entry) => (Buffer.isBuffer(entry) ? entry : header(entry))), end]);
}

export function file(name: string | Buffer, content = 'x', more: Partial<RawHeader> = {}): RawHeader {
  return { name, content, ...more };
}

export function dir(name: string | Buffer, more: Partial<RawHeader> = {}): RawHeader {
  return { name, type: '5', mode: 0o755, ...more };
}

export function symlink(name: string, link: string): RawHeader {
  return { name, type: '2', link, mode: 0o777 };
}

export function hardlink(name: string, link: string): RawHeader {
  return { name, type: '1', link };
}

/** A PAX header with these records, lengths made right. */
export function pax(records: Readonly<Record<string, string | Buffer>>, type: 'x' | 'g' = 'x'): RawHeader {
  const body = Object.entries(records).map(([key, value]) => record(key, Buffer.from(value)));
  return paxBody(Buffer.concat(body), type);
}

export function paxBody(body: string | Buffer, type: 'x' | 'g' | 'L' | 'K' = 'x'): RawHeader {
  return { name: 'PaxHeaders/x', type, content: body };
}

export function base256(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let rest = BigInt.asUintN(length * 8, value);
  for (let at = length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

function record(key: string, value: Buffer): Buffer {
  let length = key.length + value.length + 3;
  while (length !== key.length + value.length + 3 + String(length).length) {
    length = key.length + value.length + 3 + String(length).length;
  }
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

function number(block: Buffer, offset: number, length: number, value: number | Buffer): void {
  if (Buffer.isBuffer(value)) value.copy(block, offset, 0, length);
  else block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
}
