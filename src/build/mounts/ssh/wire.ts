/** Reads the fields of an SSH message (RFC 4251 section 5) one after another. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  /** @throws RangeError where the message ends too early */
  take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new RangeError('the message is cut off');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString('latin1');
  }
}

/** A string: its length, then its bytes. */
export function wireString(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([wireNumber(bytes.length), bytes]);
}

export function wireNumber(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A whole number of any size that is not negative: no zeros in front but one where the first bit would be its sign. */
export function wireInteger(value: Buffer): Buffer {
  let start = 0;
  while (start < value.length && value[start] === 0) start++;
  const digits = value.subarray(start);
  const isSigned = ((digits[0] ?? 0) & 0x80) !== 0;
  return wireString(isSigned ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}
