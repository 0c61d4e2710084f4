import type { Contender, Job } from '../measure/index.ts';
import { run, slipway } from '../places/index.ts';

/** Manifest and config, from a registry on the loopback; skopeo also asks for the tags unless told not to. */
export const inspectRemote: Job = {
  name: 'inspect-remote',
  title: 'an image in a registry shown without pulling it',
  places: ['tmpfs', 'folder'],
  async make({ place, inputs, peers }) {
    const { host } = await inputs.registry(place);
    const name = `${host}/bench:latest`;
    await run(slipway('copy', '-q', `oci:${await inputs.twelveLayers()}:latest`, `docker://${name}`));
    const peer = (title: string, program: string, ...args: string[]): Contender[] => {
      const command = peers.call(program, ...args);
      return command === undefined ? [] : [{ name: title, role: 'peer', command }];
    };
    return {
      rounds: 20,
      contenders: [
        { name: 'node -e 0', role: 'limit', command: [process.execPath, '-e', '0'] },
        ...peer('skopeo inspect -n', 'skopeo', 'inspect', '-n', '--tls-verify=false', `docker://${name}`),
        ...peer('crane config', 'crane', 'config', '--insecure', name),
        { name: 'slipway inspect', role: 'ours', command: slipway('inspect', `docker://${name}`), env: place.store() },
        { name: 'slipway config', role: 'ours', command: slipway('config', name) },
        { name: 'slipway manifest get', role: 'ours', command: slipway('manifest', 'get', name) },
        { name: 'slipway digest', role: 'ours', command: slipway('digest', name) },
      ],
    };
  },
};
