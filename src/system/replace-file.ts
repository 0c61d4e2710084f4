import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Gives a file that is there other content: whoever looks sees the old file or the new one, whole. Mode and owner stay
 * (the owner where this user may give files away); of a symbolic link it is the file behind it that changes.
 */
export async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const target = await realpath(path);
  const { mode, uid, gid } = await stat(target);
  const folder = dirname(target);
  const temporary = join(folder, `.slipway-${randomUUID()}`);
  try {
    {
      await using file = await open(temporary, 'wx', 0o600);
      await file.writeFile(content);
      await keepOwner(file, uid, gid);
      // After the owner: chown(2) takes set-id bits off.
      await file.chmod(mode & 0o7777);
      await file.sync();
    }
    await rename(temporary, target);
    await using directory = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    await directory.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function keepOwner(file: FileHandle, uid: number, gid: number): Promise<void> {
  const own = await file.stat();
  if (own.uid === uid && own.gid === gid) return;
  try {
    await file.chown(uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
