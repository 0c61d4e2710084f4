import { mkdir, writeFile } from 'node:fs/promises';
import type { Command } from '../measure/index.ts';
import { inputsFolder } from '../inputs/cache.ts';
import type { Place } from '../places/index.ts';
import { findProgram, newest } from './find.ts';
import { hasNewestPeers, Room } from './room.ts';

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
  /** Where a program is on this machine; undefined where it is not installed. */
  readonly program: (name: string) => string | undefined;
  /** A call of a program, the newest there is; undefined where it is not installed. */
  readonly call: (name: string, ...args: string[]) => Command | undefined;
  readonly buildah: (...args: string[]) => Command | undefined;
  readonly podman: (...args: string[]) => Command | undefined;
  /** Where tools/fetch-bench-peers.sh has brought a newer Debian's. */
  readonly room: Room | undefined;
}

export async function makePeers(place: Place): Promise<Peers> {
  const file = place.path('containers.conf');
  await writeFile(file, configuration);
  const storage = ['--root', place.path('peer'), '--runroot', place.path('peer-run'), '--storage-driver', 'overlay'];
  place.onClose(() => place.clear('peer'));
  await mkdir(inputsFolder(), { recursive: true });
  const room = hasNewestPeers() ? await Room.open([place.folder, inputsFolder()]) : undefined;
  if (room !== undefined) place.onClose(() => room.close());
  const call: Peers['call'] = (name, ...args) => newest(room, name, ...args);
  return {
    env: { CONTAINERS_CONF: file, BUILDAH_ISOLATION: 'oci', TMPDIR: place.folder },
    program: findProgram,
    call,
    buildah: (...args) => call('buildah', ...storage, ...args),
    podman: (...args) => call('podman', ...storage, ...args),
    room,
  };
}
