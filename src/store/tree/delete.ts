import fs from 'node:fs';
import { messageOf } from '../../errors.ts';
import { errnoOf, isMissing, StoreError } from '../error.ts';
import { join } from './path.ts';

/**
 * Deletes whole trees that strangers have filled. Every folder is first renamed to the top of `trash`: no path gets long,
 * however deep a RUN step has nested, no symbolic link is ever walked through, and a mount point fails with EBUSY instead
 * of having the mounted files deleted. Names are bytes. What cannot be deleted stays in `trash` for a later try.
 * @throws StoreError CANNOT_DELETE, after everything else is gone
 */
export function deleteTrees(folders: readonly string[], trash: string): void {
  const names = namesIn(trash);
  const failures: unknown[] = [];
  const queue: Buffer[] = folders.map((folder) => Buffer.from(folder));
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    const below: Buffer[] = [];
    try {
      empty(folder, below, names);
      // Its folders lie beside it by now, so that it is empty.
      fs.rmdirSync(folder);
    } catch (error) {
      if (!isMissing(error)) failures.push(error);
    }
    queue.push(...below);
  }
  if (failures.length > 0) throw cannotDelete(failures);
}

function empty(folder: Buffer, below: Buffer[], freshName: () => Buffer): void {
  if (!fs.lstatSync(folder).isDirectory()) return fs.unlinkSync(folder);
  // Moving a folder changes its `..`: root may always, others need the write permission.
  fs.chmodSync(folder, 0o700);
  for (const entry of fs.readdirSync(folder, { encoding: 'buffer', withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) {
      unlessMissing(() => fs.unlinkSync(path));
      continue;
    }
    const moved = freshName();
    unlessMissing(() => {
      fs.renameSync(path, moved);
      below.push(moved);
    });
  }
}

/** Two processes may empty one trash at once. */
function unlessMissing(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Names that neither this nor another process uses for something else. */
function namesIn(trash: string): () => Buffer {
  const prefix = `${process.pid}-${process.hrtime.bigint().toString(36)}-`;
  let count = 0;
  return () => Buffer.from(`${trash}/${prefix}${(count++).toString(36)}`);
}

function cannotDelete(failures: readonly unknown[]): StoreError {
  const immutable = failures.some((failure) => errnoOf(failure) === 'EPERM');
  return new StoreError('CANNOT_DELETE', `cannot delete a tree: ${messageOf(failures[0])}`, {
    details: failures.slice(1, 10).map(messageOf),
    cause: failures[0],
    hint: immutable ? 'a step may have marked files immutable: see lsattr, chattr -R -i' : undefined,
  });
}
