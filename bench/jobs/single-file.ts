import { join } from 'node:path';
import type { Contender, Job } from '../measure/index.ts';
import { project, run, slipway } from '../places/index.ts';

/** The single executable beside the npm package: that it starts as fast, and what its first start takes. */
export const singleFile: Job = {
  name: 'single-file',
  title: 'the single executable starts',
  places: ['tmpfs', 'folder'],
  make: async ({ place }) => {
    await run([process.execPath, join(project, 'tools', 'single-file.ts'), '--out', place.folder], {});
    const executable = place.path(`slipway-linux-${process.arch}`);
    const ours = (name: string, args: readonly string[], cache: string): Contender => ({
      name,
      role: 'ours',
      command: [executable, ...args],
      env: { ...place.store(), XDG_CACHE_HOME: place.path(cache) },
    });
    return {
      rounds: 20,
      subject: 'single file, --version',
      contenders: [
        { name: 'node -e 0', role: 'limit', command: [process.execPath, '-e', '0'] },
        { name: 'npm package, --version', role: 'ours', command: slipway('--version') },
        ours('single file, --version', ['--version'], 'cache'),
        { name: 'npm package, images', role: 'ours', command: slipway('images'), env: place.store() },
        ours('single file, images', ['images'], 'cache'),
        { ...ours('single file, images, first start', ['images'], 'first'), prepare: () => place.clear('first') },
      ],
      bars: [{ to: 'node -e 0', figure: 'wall', atMost: 1.8 }],
    };
  },
};
