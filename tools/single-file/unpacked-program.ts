import fs from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { whyNotTrusted, whyWayNotTrusted } from './trusted-folder.ts';

/** What an executable carries. */
export interface Program {
  readonly version: string;
  readonly commit: string;
  /** Of the folder that it is unpacked into: version and the beginning of the digest. */
  readonly name: string;
  /** SHA-256, in hexadecimal, of what programDigest says. */
  readonly digest: string;
  /** Paths and sizes, in the order of the digest. */
  readonly files: readonly (readonly [path: string, size: number])[];
}

/** How a file's content is had; the executable's own assets unless a test says otherwise. */
export type ReadFile = (path: string) => Uint8Array;

// Modules that only the first start needs are loaded where they are used: `node:crypto` alone takes milliseconds.
const fromExecutable: ReadFile = (path) => new Uint8Array(process.getBuiltinModule('node:sea').getRawAsset(path));

/**
 * The folder of the unpacked program: the first of `folders` that has it, else the first into which it can be unpacked. None is
 * taken that somebody else can write to: what is in it runs with all the rights of who starts it.
 * @throws Error with a message for people, if none can be used
 */
export function unpackedProgram(program: Program, folders: readonly string[], read: ReadFile = fromExecutable): string {
  const refused: string[] = [];
  for (const action of [find, unpackInto]) {
    refused.length = 0;
    for (const folder of folders) {
      try {
        const way = trueWay(folder);
        const reason = action(way, program, read);
        if (reason === undefined) return join(way.folder, program.name);
        refused.push(`${folder}: ${reason}`);
      } catch (error) {
        if (error instanceof Damaged) throw error;
        refused.push(`${folder}: ${(error as Error).message}`);
      }
    }
  }
  throw new Error(
    `slipway has no folder to unpack its program into\n${refused.map((line) => `  ${line}\n`).join('')}` +
      'HINT: set XDG_CACHE_HOME to a folder that you alone can write to.',
  );
}

/** The bytes in the executable are not those it was made of. */
class Damaged extends Error {}

/** Where programs are unpacked: the user's cache folder, then the system's, which is root's and which an image may bring along. */
export function cacheFolders(environment: NodeJS.ProcessEnv): readonly string[] {
  const folders = [join('/var', 'cache', 'slipway')];
  const given = environment['XDG_CACHE_HOME'];
  if (given !== undefined && isAbsolute(given)) return [join(given, 'slipway'), ...folders];
  try {
    const home = environment['HOME'] || homedir();
    if (isAbsolute(home)) folders.unshift(join(home, '.cache', 'slipway'));
  } catch {
    // a user id that no table knows
  }
  return folders;
}

interface Way {
  /** Free of links but in its last part, so that what was looked at is what is used. */
  readonly folder: string;
  /** The nearest folder above it that is there. */
  readonly above: string;
}

function trueWay(folder: string): Way {
  const missing = [basename(folder)];
  let above = dirname(folder);
  for (; fs.lstatSync(above, { throwIfNoEntry: false }) === undefined; above = dirname(above))
    missing.unshift(basename(above));
  const real = fs.realpathSync(above);
  return { folder: join(real, ...missing), above: real };
}

/** Why the program in `folder` cannot be run; undefined where it can. A folder of root's need not be ours. */
function find({ folder, above }: Way, program: Program): string | undefined {
  const path = join(folder, program.name);
  const whyNot = whyNotTrusted(folder) ?? whyWayNotTrusted(above) ?? whyNotTrusted(path);
  return whyNot ?? (isWhole(path, program) ? undefined : 'is not complete');
}

/** Unpacks the program below `folder`; tells why that is not to be done. */
function unpackInto({ folder, above }: Way, program: Program, read: ReadFile): string | undefined {
  const whyNotAbove = whyWayNotTrusted(above);
  if (whyNotAbove !== undefined) return whyNotAbove;
  if (whyNotTrusted(folder) === 'is missing') fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const whyNot = whyNotTrusted(closed(folder));
  if (whyNot !== undefined) return whyNot;
  const found = whyNotTrusted(join(folder, program.name));
  if (found !== undefined && found !== 'is missing') return `${program.name} ${found}`;
  unpack(folder, program, read);
  return undefined;
}

/** The folder also holds other things of the user's, which were perhaps made under a loose umask. */
function closed(folder: string): string {
  const { mode, uid } = fs.lstatSync(folder);
  if (uid === process.geteuid?.() && fs.constants.S_IFDIR === (mode & fs.constants.S_IFMT) && (mode & 0o022) !== 0)
    fs.chmodSync(folder, mode & 0o755);
  return folder;
}

/** Cleaners of caches delete single files, by their age. */
function isWhole(path: string, { files }: Program): boolean {
  return files.every(([name, size]) => sizeOf(join(path, name)) === size);
}

function sizeOf(path: string): number | undefined {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.size;
}

/** Makes the folder aside and names it when it is complete; whoever does the same at the same time makes the same. */
function unpack(folder: string, program: Program, read: ReadFile): void {
  const { createHash, randomBytes } = process.getBuiltinModule('node:crypto');
  const contents = program.files.map(([path, size]) => ({ path, size, content: read(path) }));
  const hash = createHash('sha256');
  for (const { path, size, content } of contents) hash.update(`${path}\0${size}\0`).update(content);
  if (hash.digest('hex') !== program.digest)
    throw new Damaged(
      `${process.execPath} is damaged: the program in it has another digest\nHINT: copy or download it again.`,
    );

  removeForgotten(folder);
  const aside = join(folder, `.${program.name}.${randomBytes(6).toString('hex')}`);
  fs.mkdirSync(aside, { mode: 0o700 });
  try {
    const folders = new Set([aside]);
    for (const { path, content } of contents) {
      const to = join(aside, path);
      fs.mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      for (let made = dirname(to); made !== aside; made = dirname(made)) folders.add(made);
      writeSynced(to, content);
    }
    for (const made of folders) syncFolder(made);
    putInPlace(aside, join(folder, program.name), program);
    syncFolder(folder);
  } finally {
    fs.rmSync(aside, { recursive: true, force: true });
  }
}

/** What processes that were killed while they unpacked have left; none takes an hour. */
function removeForgotten(folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    if (!/^\.\d.*\.[0-9a-f]{12}$/.test(name)) continue;
    const path = join(folder, name);
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.mtimeMs > 3_600_000)
      fs.rmSync(path, { recursive: true, force: true });
  }
}

function putInPlace(aside: string, path: string, program: Program): void {
  try {
    fs.renameSync(aside, path);
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
  // Another process was first, or files are missing in what stands there. They are put in one by one: others may run from it, and
  // whoever does the same has the same files.
  for (const [name, size] of program.files) {
    const to = join(path, name);
    if (sizeOf(to) === size) continue;
    fs.mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    fs.renameSync(join(aside, name), to);
  }
}

function writeSynced(path: string, content: Uint8Array): void {
  const file = fs.openSync(path, 'wx', 0o600);
  try {
    for (let written = 0; written < content.length; ) written += fs.writeSync(file, content, written);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

function syncFolder(path: string): void {
  const folder = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
