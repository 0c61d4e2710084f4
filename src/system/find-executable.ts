import fs from 'node:fs';
import path from 'node:path';
import { SystemError } from './error.ts';

/** Where system tools lie that an ordinary user's PATH often lacks. */
const systemFolders: readonly string[] = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
];

/**
 * The absolute path of a tool of this machine. Relative and empty entries of PATH are passed over: they would run what lies
 * in the folder someone happens to be in.
 */
export function findExecutable(name: string, searchPath: string = process.env['PATH'] ?? ''): string | undefined {
  if (name.includes('/')) return path.isAbsolute(name) && isExecutable(name) ? name : undefined;
  if (name === '') return undefined;
  const folders = [...searchPath.split(':').filter((folder) => path.isAbsolute(folder)), ...systemFolders];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** @throws SystemError COMMAND_MISSING, with `hint` on how to get it. */
export function requireExecutable(name: string, hint?: string): string {
  const found = findExecutable(name);
  if (found === undefined)
    throw new SystemError('COMMAND_MISSING', `${name} is not installed`, { hint, errno: 'ENOENT' });
  return found;
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
