import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeText } from '../../dockerfile/index.ts';

/** Writes a document of the Dockerfile itself (a heredoc) where COPY can take it from. */
export async function writeInline(folder: string, name: string, content: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), encodeText(content), { flag: 'wx' });
  await chmod(join(folder, name), 0o644); // whatever our umask
}
