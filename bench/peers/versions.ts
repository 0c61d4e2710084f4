import { run } from '../places/index.ts';
import { findProgram } from './find.ts';

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
  runc: ['--version'],
  'docker-registry': ['--version'],
};

/** The versions of the peers on this machine; those that are missing are left out. */
export async function versions(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, question] of Object.entries(questions)) {
    const program = findProgram(name);
    if (program === undefined) continue;
    const answer = await run([program, ...question]).catch(() => '');
    found[name] = /\d+\.\d+[\w.+~-]*/.exec(answer)?.[0] ?? 'of unknown version';
  }
  return found;
}
