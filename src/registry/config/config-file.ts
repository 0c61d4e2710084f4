import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { codeOf } from '../record.ts';
import { misconfigured } from './place.ts';

/** A configuration file that exists, with its text. */
export interface ConfigText {
  readonly path: string;
  readonly text: string;
}

const fileLimit = 1024 * 1024;
/** Files of one folder. */
const folderLimit = 1000;

/**
 * A configuration file as bytes; undefined where there is none. Files of this kind are a page long, so they are read
 * synchronously: opening a repository needs no promise, and it costs less than a millisecond.
 * @throws RegistryError CONFIG for what is not readable or larger than 1 MiB
 */
export function readConfigBytes(path: string): Buffer | undefined {
  let file: number;
  try {
    // a FIFO would make us wait for ever
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw misconfigured({ source: path }, `cannot be read: ${messageOf(error)}`, { cause: error });
  }
  try {
    return readBounded(file, path);
  } finally {
    closeSync(file);
  }
}

/** Not by the size that stat tells: /dev/null has none and devices have no end. */
function readBounded(file: number, path: string): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.alloc(64 * 1024);
    let length: number;
    try {
      length = readSync(file, chunk);
    } catch (error) {
      throw misconfigured({ source: path }, `cannot be read: ${messageOf(error)}`, { cause: error });
    }
    if (length === 0) return Buffer.concat(chunks);
    size += length;
    if (size > fileLimit) throw misconfigured({ source: path }, `is larger than ${fileLimit} bytes`);
    chunks.push(chunk.subarray(0, length));
  }
}

/**
 * A configuration file as text; undefined where there is none.
 * @throws RegistryError CONFIG for what is not readable, larger than 1 MiB, or not UTF-8
 */
export function readConfigText(path: string): ConfigText | undefined {
  const bytes = readConfigBytes(path);
  if (bytes === undefined) return undefined;
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw misconfigured({ source: path }, 'is not UTF-8 text', { cause });
  }
}

/**
 * Paths of the files of a folder whose names end so, sorted by name; none where there is no such folder, or one that we
 * may not look into (root's own certificates, to an ordinary user).
 * @throws RegistryError CONFIG for folders of more than 1000 entries
 */
export function configFolder(folder: string, suffix: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return [];
    throw misconfigured({ source: folder }, `cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (names.length > folderLimit) throw misconfigured({ source: folder }, `has more than ${folderLimit} entries`);
  const fitting = names.filter((name) => name.endsWith(suffix) && name.length > suffix.length);
  // by bytes, as other readers of these folders sort
  return fitting.sort((a, b) => (a < b ? -1 : 1)).map((name) => join(folder, name));
}
