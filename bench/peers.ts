import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Command } from './harness.ts';
import type { Place } from './place.ts';

/** Limits that need no CAP_SYS_RESOURCE, so that buildah and podman also run in a plain virtual machine. */
const configuration = `[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
`;

export interface Peers {
  readonly env: Readonly<Record<string, string>>;
  /** Undefined where the program is not installed. */
  readonly buildah: (...args: string[]) => Command | undefined;
  readonly podman: (...args: string[]) => Command | undefined;
}

/** Peers as Debian packages them, with a store in the benchmark's own place. */
export async function peers(place: Place): Promise<Peers> {
  const file = place.path('containers.conf');
  await writeFile(file, configuration);
  const storage = ['--root', place.path('peer'), '--runroot', place.path('peer-run'), '--storage-driver', 'overlay'];
  const call = (program: string) => {
    return (...args: string[]): Command | undefined =>
      existsSync(program) ? [program, ...storage, ...args] : undefined;
  };
  return {
    env: { CONTAINERS_CONF: file, BUILDAH_ISOLATION: 'oci', TMPDIR: place.folder },
    buildah: call('/usr/bin/buildah'),
    podman: call('/usr/bin/podman'),
  };
}
