import type { Command } from '../measure/index.ts';
import type { Peers } from '../peers/index.ts';
import { type Place, script } from '../places/index.ts';
import { type Builder, dockersArguments, words } from './builder.ts';

/** buildah and podman, which build alike; neither has a daemon. Undefined where it is not installed. */
export function buildahBuilder(place: Place, peers: Peers, name: 'buildah' | 'podman'): Builder | undefined {
  const program = peers[name];
  if (program('version') === undefined) return undefined;
  const call = (...args: string[]): Command => program(...args) ?? ['false'];
  const push = (image: string) => call('push', '-q', '--tls-verify=false', image);
  return {
    name,
    role: 'peer',
    env: peers.env,
    build: (request) => {
      const build = call(...words('build -q --layers --network host --tls-verify=false'), ...dockersArguments(request));
      return request.push === true ? script(build, push(request.name)) : build;
    },
    push,
    pull: (image) => call('pull', '-q', '--tls-verify=false', image),
    forget: () => place.clear('peer', 'peer-run'),
  };
}
