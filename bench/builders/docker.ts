import type { Command } from '../measure/index.ts';
import { Daemon } from '../peers/daemon.ts';
import type { Room } from '../peers/room.ts';
import { type Place, script } from '../places/index.ts';
import { type Builder, dockersArguments, words } from './builder.ts';

const socket = 'unix:///run/docker.sock';
// BuildKit's steps are beside those of containers, in a group of the parent's.
const controlGroup = '/slipway-bench';

/** Docker with the BuildKit that is in its daemon. The network is the machine's: nothing is changed in its rules. */
export async function dockerBuilder(place: Place, room: Room): Promise<Builder> {
  const data = place.path('docker');
  const docker = (...args: string[]): Command => ['docker', '-H', socket, ...args];
  const daemon = await Daemon.in(place, room, {
    command: [
      'dockerd',
      ...words('--iptables=false --ip6tables=false --bridge=none --storage-driver overlay2'),
      ...words(`--cgroup-parent ${controlGroup} -H ${socket} --data-root`),
      data,
    ],
    question: docker('version'),
    data,
    controlGroup,
  });
  const call = (...args: string[]): Command => room.command(...docker(...args));
  const push = (image: string) => call('push', '-q', image);
  return {
    name: 'docker',
    role: 'peer',
    env: { DOCKER_BUILDKIT: '1' },
    servers: daemon.pids,
    build: (request) => {
      const build = call(...words('build -q --network host'), ...dockersArguments(request));
      return request.push === true ? script(build, push(request.name)) : build;
    },
    push,
    pull: (image) => call('pull', '-q', image),
    forget: () => daemon.renew(),
  };
}
