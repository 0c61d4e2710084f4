import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Command } from '../measure/index.ts';
import { project } from '../places/index.ts';
import type { Room } from './room.ts';

/** Newer than Debian's stable ones, where tools/fetch-newer-peers.sh has brought them. */
const fetched = join(project, '.cache/newer-peers/root/usr/bin');

/** Where a program is: what was fetched comes before what is installed. */
export function findProgram(name: string): string | undefined {
  const folders = [fetched, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** A call of a program: the room's, where there is one and it is there. */
export function newest(room: Room | undefined, name: string, ...args: string[]): Command | undefined {
  if (room?.has(name) === true) return room.command(name, ...args);
  const program = findProgram(name);
  return program === undefined ? undefined : [program, ...args];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
