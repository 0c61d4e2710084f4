import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { project } from '../places/index.ts';

/** Newer than Debian's stable ones, where tools/fetch-newer-peers.sh has brought them. */
const fetched = join(project, '.cache/newer-peers/root/usr/bin');

/** Where a program is: what was fetched comes before what is installed. */
export function findProgram(name: string): string | undefined {
  const folders = [fetched, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
