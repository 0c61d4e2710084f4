import { type FileHandle, realpath, stat } from 'node:fs/promises';
import { type FileContent, putFile } from './put-file.ts';

/**
 * Gives a file that is there other content: whoever looks sees the old file or the new one, whole. Mode and owner stay
 * (the owner where this user may give files away); of a symbolic link it is the file behind it that changes.
 */
export async function replaceFile(path: string, content: FileContent): Promise<void> {
  const target = await realpath(path);
  const { mode, uid, gid } = await stat(target);
  await putFile(target, content, {
    mode: 0o600,
    finish: async (file) => {
      await keepOwner(file, uid, gid);
      // After the owner: chown(2) takes set-id bits off.
      await file.chmod(mode & 0o7777);
    },
  });
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
