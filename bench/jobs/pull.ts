import type { Bench, Comparison, Contender, Job } from '../measure/index.ts';
import { run, slipway } from '../places/index.ts';

/** From a registry on the loopback into an empty store, blob kept. */
export const pullDebian: Job = {
  name: 'pull-debian',
  title: 'a Debian of 180 MB pulled and unpacked',
  make: async (bench) => pull(bench, (await bench.inputs.debian()).layout),
};

/** As above, with layers to fetch and unpack beside each other. */
export const pullTwelveLayers: Job = {
  name: 'pull-12-layers',
  title: 'an image of 12 layers pulled and unpacked',
  make: async (bench) => pull(bench, await bench.inputs.twelveLayers()),
};

async function pull({ place, inputs, peers }: Bench, layout: string): Promise<Comparison> {
  const registry = await inputs.registry(place);
  const name = `${registry.host}/bench:latest`;
  await run(slipway('copy', '-q', `oci:${layout}:latest`, `docker://${name}`));
  const theirs = peers.podman('pull', '-q', '--tls-verify=false', name);
  const podman: Contender[] =
    theirs === undefined
      ? []
      : [
          {
            name: 'podman pull',
            role: 'peer',
            command: theirs,
            env: peers.env,
            prepare: () => place.clear('peer', 'peer-run'),
          },
        ];
  const command = slipway('pull', '-q', name);
  return {
    contenders: [
      ...podman,
      { name: 'slipway pull', role: 'ours', command, env: place.store(), prepare: () => place.clear('store') },
    ],
    bars: [
      { to: { best: 'peer' }, figure: 'wall', atMost: 0.5 },
      { to: { best: 'peer' }, figure: 'cpu', atMost: 0.5 },
    ],
  };
}

/** Nothing is fetched: the registry is asked what the name means today. */
export const pullAgain: Job = {
  name: 'pull-again',
  title: 'a Debian that is there pulled again',
  async make({ place, inputs, peers }) {
    const registry = await inputs.registry(place);
    const name = `${registry.host}/bench:latest`;
    const { layout } = await inputs.debian();
    await run(slipway('copy', '-q', `oci:${layout}:latest`, `docker://${name}`));
    const command = slipway('pull', '-q', name);
    await run(command, place.store());
    const contenders: Contender[] = [{ name: 'slipway pull', role: 'ours', command, env: place.store() }];
    const theirs = peers.podman('pull', '-q', '--tls-verify=false', name);
    if (theirs !== undefined) {
      await run(theirs, peers.env);
      contenders.push({ name: 'podman pull', role: 'peer', command: theirs, env: peers.env });
    }
    return { contenders, rounds: 10 };
  },
};
