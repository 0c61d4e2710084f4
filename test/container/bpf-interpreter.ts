/** A system call as a filter sees it (`struct seccomp_data`). */
export interface CallData {
  readonly audit: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

/** What a program of classic BPF returns for a call: the instructions that seccomp(2) knows and we use. */
export function interpret(program: Buffer, call: CallData): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.audit >>> 0, 4);
  for (const [index, arg] of (call.args ?? []).entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, arg), 16 + index * 8);
  let accumulator = 0;
  for (let at = 0; at * 8 < program.length; at++) {
    const code = program.readUInt16LE(at * 8);
    const [jt, jf] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const k = program.readUInt32LE(at * 8 + 4);
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += accumulator === k ? jt : jf;
    else if (code === 0x35) at += accumulator >= k ? jt : jf;
    else if (code === 0x06) return k;
    else throw new Error(`instruction 0x${code.toString(16)}`);
  }
  throw new Error('ran off the end');
}
