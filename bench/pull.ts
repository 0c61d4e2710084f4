import type { Comparison, Contender } from './harness.ts';
import { debianImage } from './debian.ts';
import { peers } from './peers.ts';
import { Place, slipway } from './place.ts';

/** Pull and unpack of Debian from a registry on the loopback into an empty store, blob kept. Bar: faster than podman. */
export async function pull(): Promise<Comparison> {
  const place = await Place.make();
  const { name } = await debianImage(place);
  const { env, podman } = await peers(place);
  const command = podman('pull', '-q', '--tls-verify=false', name);
  const prepare = () => place.clear('peer', 'peer-run');
  const peer: Contender[] = command === undefined ? [] : [{ name: 'podman pull', command, env, prepare }];
  return {
    title: 'pull and unpack of a Debian of 180 MB',
    contenders: [
      ...peer,
      {
        name: 'slipway pull',
        command: slipway('pull', '-q', name),
        env: place.store(),
        prepare: () => place.clear('store'),
      },
    ],
    close: () => place.close(),
  };
}
