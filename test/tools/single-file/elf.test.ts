import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { withNote } from '../../../tools/single-file/elf.ts';

/** The note of `name` among all that the program headers show, as who runs finds it. */
function noteOf(elf: Buffer, name: string): Buffer | undefined {
  const [table, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(56)];
  for (let header = table; header < table + count * 56; header += 56) {
    if (elf.readUInt32LE(header) !== 4) continue;
    const [offset, size] = [Number(elf.readBigUInt64LE(header + 8)), Number(elf.readBigUInt64LE(header + 32))];
    const note = elf.subarray(offset, offset + size);
    const nameEnd = 12 + note.readUInt32LE(0);
    if (note.toString('latin1', 12, nameEnd) !== `${name}\0`) continue;
    const start = Math.ceil(nameEnd / 4) * 4;
    return note.subarray(start, start + note.readUInt32LE(4));
  }
  return undefined;
}

// A program at a fixed address is Node: the end-to-end test of the single file runs it.
it('a note is found in a program, which runs as before', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-elf-'));
  try {
    const content = Buffer.from('seven b');
    const made = withNote(readFileSync('/bin/sh'), 'A_NOTE', content);
    expect(noteOf(made, 'A_NOTE')).toEqual(content);
    const path = join(folder, 'program');
    writeFileSync(path, made, { mode: 0o755 });
    const run = spawnSync(path, ['-c', 'echo $((6 * 7))'], { encoding: 'utf8' });
    expect(run).toMatchObject({ status: 0, stdout: '42\n', stderr: '' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('the new segment lies as far from the start in memory as in the file, beyond all that the others take there', () => {
  const made = withNote(readFileSync('/bin/sh'), 'A_NOTE', Buffer.alloc(100_000));
  const [table, count] = [Number(made.readBigUInt64LE(32)), made.readUInt16LE(56)];
  const loads = Array.from({ length: count }, (_, index) => table + index * 56)
    .filter((header) => made.readUInt32LE(header) === 1)
    .map((header) => ({
      offset: made.readBigUInt64LE(header + 8),
      address: made.readBigUInt64LE(header + 16),
      end: made.readBigUInt64LE(header + 16) + made.readBigUInt64LE(header + 40),
    }));
  const [first, last] = [loads.at(0), loads.at(-1)];
  if (first === undefined || last === undefined) throw new Error('no segments');
  expect(last.address - first.address).toBe(last.offset);
  for (const other of loads.slice(0, -1)) expect(other.end <= last.address).toBe(true);
});

it.each([
  ['a script', Buffer.from('#!/bin/sh\n'), /not a 64-bit/],
  ['a 32-bit program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, ...Buffer.alloc(60)]), /not a 64-bit/],
  ['a program that is cut off', readFileSync('/bin/sh').subarray(0, 100), /outside of the file/],
  ['a file without segments', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, ...Buffer.alloc(60)]), /first segment/],
])('%s is refused', (_, bytes, message) => {
  expect(() => withNote(bytes, 'A_NOTE', Buffer.from('x'))).toThrow(message);
});
