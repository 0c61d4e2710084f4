import type { Job } from '../measure/index.ts';
import { run, slipway } from '../places/index.ts';

/** A build of which nothing has changed: the Node web application on Debian. */
export const rebuild: Job = {
  name: 'rebuild',
  title: 'an unchanged Node web application rebuilt',
  async make({ place, inputs }) {
    const registry = await inputs.registry(place);
    const name = `${registry.host}/debian:bookworm`;
    const { layout } = await inputs.debian();
    await run(slipway('copy', '-q', `oci:${layout}:latest`, `docker://${name}`));
    await inputs.webApp(place.path('web-app'));
    const env = place.store();
    const build = (...more: string[]) =>
      slipway(
        'build',
        '--progress',
        'plain',
        '--build-arg',
        `BASE=${name}`,
        '-t',
        'web-app',
        ...more,
        place.path('web-app'),
      );
    await run(build(), env);
    return {
      rounds: 20,
      subject: 'slipway build',
      contenders: [
        { name: 'slipway build', role: 'ours', command: build(), env },
        { name: 'slipway build --pull', role: 'ours', command: build('--pull'), env },
        { name: 'node -e 0', role: 'limit', command: [process.execPath, '-e', '0'] },
      ],
      bars: [{ figure: 'wall', atMost: 250 }],
    };
  },
};
