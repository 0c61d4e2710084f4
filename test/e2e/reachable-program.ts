import { statSync } from 'node:fs';
import { chmod, cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A Node and a launcher that can be run together. */
export interface Program {
  readonly node: string;
  readonly launcher: string;
}

const checkout = dirname(dirname(import.meta.dirname));
const parts = ['package.json', 'oclif.manifest.json', 'bin', 'dist', 'node_modules/@koromix', 'node_modules/koffi'];

/** The program of the checkout. */
export const ownProgram: Program = { node: process.execPath, launcher: join(checkout, 'bin', 'slipway') };

let copied: Promise<Program> | undefined;

/** The program where every user can run it: a copy below `folder` where the checkout lies in somebody's private folder. */
export async function reachableProgram(folder: string): Promise<Program> {
  if (isOpen(ownProgram.node) && isOpen(ownProgram.launcher)) return ownProgram;
  copied ??= copyProgram(join(folder, 'program'));
  return copied;
}

function isOpen(path: string): boolean {
  return path === '/' || ((statSync(path).mode & 0o001) !== 0 && isOpen(dirname(path)));
}

async function copyProgram(folder: string): Promise<Program> {
  await mkdir(folder);
  for (const part of parts) await cp(join(checkout, part), join(folder, part), { recursive: true });
  const node = join(folder, 'node');
  await cp(process.execPath, node);
  await chmod(dirname(folder), 0o755);
  return { node, launcher: join(folder, 'bin', 'slipway') };
}
