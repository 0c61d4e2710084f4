import type { Bench, Command, Comparison, Contender, Job } from '../measure/index.ts';
import { run, slipway } from '../places/index.ts';

/** Bytes alone: layers that do not compress and are not unpacked. */
export const transfersPull: Job = {
  name: 'transfers-pull',
  title: '480 MB in 12 layers from a registry to a layout',
  async make(bench) {
    const { place, inputs } = bench;
    const name = `${(await inputs.registry(place)).host}/bench:one`;
    await run(slipway('copy', '-q', `oci:${await inputs.opaqueLayers()}:latest`, `docker://${name}`));
    const out = place.path('out');
    return transfers(bench, () => place.clear('out'), {
      'crane pull': ['crane', 'pull', '--insecure', '--format=oci', name, out],
      'skopeo copy': ['skopeo', 'copy', '-q', '--src-tls-verify=false', `docker://${name}`, `oci:${out}:one`],
      'slipway copy': slipway('copy', '-q', `docker://${name}`, `oci:${out}:one`),
    });
  },
};

/** The same the other way, into an empty registry each time. */
export const transfersPush: Job = {
  name: 'transfers-push',
  title: '480 MB in 12 layers from a layout to a registry',
  async make(bench) {
    const { place, inputs } = bench;
    const { host, clear } = await inputs.registry(place);
    const name = `${host}/bench:one`;
    const image = await inputs.opaqueLayers();
    return transfers(bench, clear, {
      'crane push': ['crane', 'push', '--insecure', image, name],
      'skopeo copy': ['skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${image}:latest`, `docker://${name}`],
      'slipway copy': slipway('copy', '-q', `oci:${image}:latest`, `docker://${name}`),
    });
  },
};

function transfers({ peers }: Bench, prepare: () => Promise<void>, all: Readonly<Record<string, Command>>): Comparison {
  const contenders = Object.entries(all).flatMap(([name, [first, ...args]]): Contender[] => {
    if (name.startsWith('slipway')) return [{ name, role: 'ours', command: [first, ...args], prepare }];
    const command = peers.call(first, ...args);
    return command === undefined ? [] : [{ name, role: 'peer', command, prepare }];
  });
  return { contenders, bars: [{ figure: 'memory', atMost: 200e6 }] };
}
