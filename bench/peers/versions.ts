import { run } from '../places/index.ts';
import { newest } from './find.ts';
import { hasNewestPeers, Room } from './room.ts';

/** Every peer, and how it is asked for its version. */
const questions: Readonly<Record<string, readonly string[]>> = {
  tar: ['--version'],
  gzip: ['--version'],
  pigz: ['--version'],
  zstd: ['--version'],
  buildah: ['--version'],
  podman: ['--version'],
  skopeo: ['--version'],
  umoci: ['--version'],
  crane: ['version'],
  docker: ['--version'],
  buildctl: ['--version'],
  igzip: ['--version'],
  runc: ['--version'],
  'docker-registry': ['--version'],
};

/** The versions of the peers on this machine, the newest that there are; those that are missing are left out. */
export async function versions(): Promise<Record<string, string>> {
  const room = hasNewestPeers() ? await Room.open([]) : undefined;
  const found: Record<string, string> = {};
  try {
    for (const [name, question] of Object.entries(questions)) {
      const command = newest(room, name, ...question);
      if (command === undefined) continue;
      const answer = await run(command).catch(() => '');
      found[name] = /\d+\.\d+[\w.+~-]*|\b[\da-f]{7,40}\b/.exec(answer)?.[0] ?? 'of unknown version';
    }
  } finally {
    await room?.close();
  }
  return found;
}
