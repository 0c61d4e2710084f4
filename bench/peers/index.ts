import { writeFile } from 'node:fs/promises';
import type { Command } from '../measure/index.ts';
import type { Place } from '../places/index.ts';
import { findProgram } from './find.ts';

export { versions } from './versions.ts';

/** Limits that need no CAP_SYS_RESOURCE, so that buildah and podman also run in a plain virtual machine. */
const configuration = `[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
`;

/** Programs that others have written, with stores in the benchmark's own place. */
export interface Peers {
  readonly env: Readonly<Record<string, string>>;
  /** Where a program is; undefined where it is not installed. */
  readonly program: (name: string) => string | undefined;
  /** Undefined where the program is not installed. */
  readonly buildah: (...args: string[]) => Command | undefined;
  readonly podman: (...args: string[]) => Command | undefined;
}

export async function makePeers(place: Place): Promise<Peers> {
  const file = place.path('containers.conf');
  await writeFile(file, configuration);
  const storage = ['--root', place.path('peer'), '--runroot', place.path('peer-run'), '--storage-driver', 'overlay'];
  place.onClose(() => place.clear('peer'));
  const call = (name: string) => {
    const program = findProgram(name);
    return (...args: string[]): Command | undefined =>
      program === undefined ? undefined : [program, ...storage, ...args];
  };
  return {
    env: { CONTAINERS_CONF: file, BUILDAH_ISOLATION: 'oci', TMPDIR: place.folder },
    program: findProgram,
    buildah: call('buildah'),
    podman: call('podman'),
  };
}
