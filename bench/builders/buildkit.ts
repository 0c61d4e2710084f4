import type { Command } from '../measure/index.ts';
import { Daemon } from '../peers/daemon.ts';
import type { Room } from '../peers/room.ts';
import type { Place } from '../places/index.ts';
import { type Builder, words } from './builder.ts';

const socket = 'unix:///run/buildkit.sock';

/** BuildKit's own daemon, with runc and overlayfs. It compresses while it exports, and pushes in the same call. */
export async function buildkitBuilder(place: Place, room: Room): Promise<Builder> {
  const data = place.path('buildkit');
  const buildctl = (...args: string[]): Command => ['buildctl', '--addr', socket, ...args];
  const daemon = await Daemon.in(place, room, {
    command: [
      'buildkitd',
      ...words('--oci-worker-snapshotter overlayfs --oci-worker-net host --allow-insecure-entitlement network.host'),
      ...words(`--addr ${socket} --root`),
      data,
    ],
    question: buildctl('debug', 'workers'),
    data,
    controlGroup: '/buildkit',
  });
  return {
    name: 'buildkit',
    role: 'peer',
    servers: daemon.pids,
    build: ({ context, base, name, push = false, noCache = false }) =>
      room.command(
        ...buildctl(...words('build --progress plain --frontend dockerfile.v0')),
        ...words('--allow network.host --opt force-network-mode=host'),
        ...[`context=${context}`, `dockerfile=${context}`].flatMap((local) => ['--local', local]),
        ...(noCache ? ['--no-cache'] : []),
        '--opt',
        `build-arg:BASE=${base}`,
        '--output',
        `type=image,name=${name},push=${push}`,
      ),
    forget: () => daemon.renew(),
  };
}
