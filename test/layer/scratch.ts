import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export { rootPrivileges } from '../root-privileges.ts';

export const isRoot = process.getuid?.() === 0;

/** A folder that is gone when its scope ends. */
export function scratch(): Disposable & { readonly path: string; folder(name: string): string } {
  const root = fs.mkdtempSync(path.join(tmpdir(), 'slipway-layer-'));
  return {
    path: root,
    folder(name) {
      const made = path.join(root, name);
      fs.mkdirSync(made, { recursive: true, mode: 0o755 });
      return made;
    },
    [Symbol.dispose]: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

export interface ListOptions {
  readonly mtime?: boolean;
}

/** A tree as lines `path kind mode uid:gid detail`, sorted; names as latin1. */
export function listTree(root: string, { mtime = false }: ListOptions = {}): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  const visit = (folder: Buffer, prefix: string): void => {
    for (const name of fs.readdirSync(folder, { encoding: 'latin1' }).toSorted()) {
      const full = Buffer.concat([folder, Buffer.from('/'), Buffer.from(name, 'latin1')]);
      const stats = fs.lstatSync(full, { bigint: true });
      const shown = prefix + name;
      const first = stats.isFile() && stats.nlink > 1n ? inodes.get(stats.ino) : undefined;
      inodes.set(stats.ino, inodes.get(stats.ino) ?? shown);
      const detail = stats.isFile()
        ? first === undefined
          ? `file ${JSON.stringify(fs.readFileSync(full, 'latin1').slice(0, 60))}${stats.size}`
          : `same as ${first}`
        : stats.isSymbolicLink()
          ? `-> ${fs.readlinkSync(full, 'latin1')}`
          : stats.isDirectory()
            ? 'dir'
            : `special ${stats.rdev}`;
      const time = mtime ? ` ${stats.mtimeNs / 1_000_000_000n}` : '';
      lines.push(`${shown} ${(Number(stats.mode) & 0o7777).toString(8)} ${stats.uid}:${stats.gid}${time} ${detail}`);
      if (stats.isDirectory()) visit(full, `${shown}/`);
    }
  };
  visit(Buffer.from(root), '');
  return lines;
}
