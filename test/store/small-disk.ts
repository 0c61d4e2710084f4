import { execFileSync } from 'node:child_process';

/** Runs `use` with a folder on a file system of 6 MiB. A mount of the machine: it is taken away whatever happens. */
export async function mountSmall(folder: string, use: (root: string) => Promise<void>): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=700', 'tmpfs', folder]);
  try {
    await use(`${folder}/store`);
  } finally {
    execFileSync('umount', ['-l', folder]);
  }
}
