import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Comparison, Contender, Job } from '../measure/index.ts';
import { project, run, slipway } from '../places/index.ts';

/** Where a distribution or its user puts another Node, which then starts the checkout's own. */
const otherNode = ['/usr/local/bin/node', '/usr/bin/node'].find((file) => existsSync(file));
const launcher = join(project, 'bin', 'slipway');

/** How long the program takes to be there: nothing is written, so one place is enough. */
export const version: Job = {
  name: 'version',
  title: 'slipway --version',
  places: ['tmpfs', 'folder'],
  make: async ({ peers, place }) => ({
    rounds: 30,
    subject: 'slipway --version',
    contenders: [
      { name: 'node -e 0', role: 'limit', command: [process.execPath, '-e', '0'] },
      { name: 'slipway --version', role: 'ours', command: slipway('--version') },
      { name: 'slipway version', role: 'ours', command: slipway('version'), env: place.store() },
      { name: 'slipway --help', role: 'ours', command: slipway('--help') },
      { name: 'bin/slipway --version (through sh)', role: 'ours', command: [launcher, '--version'] },
      ...otherNodes(),
      ...['skopeo', 'buildah', 'podman', 'docker'].flatMap((name): Contender[] => {
        const program = peers.program(name);
        return program === undefined
          ? []
          : [{ name: `${name} --version`, role: 'peer', command: [program, '--version'] }];
      }),
    ],
    bars: [
      { to: 'node -e 0', figure: 'wall', atMost: 1.8 },
      { figure: 'wall', atMost: 45 },
    ],
  }),
};

function otherNodes(): Contender[] {
  if (otherNode === undefined) return [];
  return [
    { name: `${otherNode} bin/slipway --version`, role: 'ours', command: [otherNode, launcher, '--version'] },
    { name: 'npx slipway --version', role: 'ours', command: ['npx', 'slipway', '--version'], cwd: project },
  ];
}

/** The names of a store with one image. */
export const imagesList: Job = {
  name: 'images',
  title: 'slipway images',
  places: ['tmpfs', 'folder'],
  make: listOfImages,
};

async function listOfImages({ place, inputs, peers }: Bench): Promise<Comparison> {
  const layout = await inputs.busybox(place);
  await run(slipway('copy', '-q', `oci:${layout}`, 'store:busybox:latest'), place.store());
  const contenders: Contender[] = [
    { name: 'node -e 0', role: 'limit', command: [process.execPath, '-e', '0'] },
    { name: 'slipway images', role: 'ours', command: slipway('images'), env: place.store() },
  ];
  for (const name of ['buildah', 'podman'] as const) {
    const pull = peers[name]('pull', '-q', `oci:${layout}`);
    const command = peers[name]('images');
    if (pull === undefined || command === undefined) continue;
    await run(pull, peers.env);
    contenders.push({ name: `${name} images`, role: 'peer', command, env: peers.env });
  }
  return { rounds: 20, contenders };
}

/** What a build costs in which nothing has changed and little is to be looked at. */
export const smallRebuild: Job = {
  name: 'cached-build',
  title: 'a build of five cached steps',
  async make({ place, inputs, peers }) {
    const layout = await inputs.busybox(place);
    const ours = await smallContext(place.path('ours'), 'busybox');
    const command = slipway('build', '-q', '--build-context', `busybox=oci-layout://${layout}`, ours);
    const contenders: Contender[] = [
      { name: 'node -e 0', role: 'limit', command: [process.execPath, '-e', '0'] },
      { name: 'slipway build', role: 'ours', command, env: place.store() },
    ];
    await run(command, place.store());
    const theirs = await smallContext(place.path('theirs'), `oci:${layout}`);
    const peer = peers.buildah('build', '--layers', '--network', 'host', '-q', theirs);
    if (peer !== undefined) {
      await run(peer, peers.env);
      contenders.push({ name: 'buildah build --layers', role: 'peer', command: peer, env: peers.env });
    }
    return { rounds: 20, contenders };
  },
};

async function smallContext(folder: string, base: string): Promise<string> {
  await mkdir(folder);
  await writeFile(`${folder}/a`, 'a\n');
  await writeFile(`${folder}/b`, 'b\n');
  await writeFile(`${folder}/Dockerfile`, `FROM ${base}\nWORKDIR /app\nCOPY a .\nRUN : built\nCOPY b .\n`);
  return folder;
}
