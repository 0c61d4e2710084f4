import { join } from 'node:path';
import { findExecutable } from '../../src/system/index.ts';
import type { Command } from '../measure/index.ts';
import { project } from '../places/index.ts';
import type { Room } from './room.ts';

/** Newer than Debian's stable ones, where tools/fetch-newer-peers.sh has brought them. */
const fetched = join(project, '.cache/newer-peers/root/usr/bin');

/** Where a program is: what was fetched comes before what is installed. */
export function findProgram(name: string): string | undefined {
  return findExecutable(join(fetched, name)) ?? findExecutable(name);
}

/** A call of a program: the room's, where there is one and it is there. */
export function newest(room: Room | undefined, name: string, ...args: string[]): Command | undefined {
  if (room?.has(name) === true) return room.command(name, ...args);
  const program = findProgram(name);
  return program === undefined ? undefined : [program, ...args];
}
