import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, type Comparison, type Contender, type Job, perOne } from '../measure/index.ts';
import { type Place, project, run, slipway } from '../places/index.ts';

const count = 40;
const limit = 'runc run on an overlay';

/** What a RUN step costs beside its program, in rows `…, one`: forty less one. All on the machine's network. */
export const steps: Job = {
  name: 'steps',
  title: `${count} RUN steps that do nothing`,
  make: (bench) => manySteps(bench, { command: ':', isolations: ['runc', 'sandbox'], beyond: 10 }),
};

/** As above, with files to find, hash and keep after each step. */
export const stepsFiles: Job = {
  name: 'steps-files',
  title: `${count} RUN steps that write 1,000 files each`,
  make: (bench) => {
    const loop = 'i=0; while [ $i -lt 1000 ]; do echo $i > /tmp/f$i; i=$((i+1)); done';
    return manySteps(bench, { command: loop, isolations: ['runc'], beyond: 30 });
  },
};

interface Steps {
  readonly command: string;
  readonly isolations: readonly string[];
  /** Milliseconds that a step of ours may take beyond the container that it runs in. */
  readonly beyond: number;
}

async function manySteps(bench: Bench, { command, isolations, beyond }: Steps): Promise<Comparison> {
  const { place, inputs } = bench;
  const layout = await inputs.busybox(place);
  const write = (name: string, base: string, times: number) => context(place.path(name), { base, command, times });
  const [many, one] = [await write('many', 'busybox', count), await write('one', 'busybox', 1)];
  const flags = ['--no-cache', '-q', '--network', 'host', '--build-context', `busybox=oci-layout://${layout}`];
  const ours = (isolation: string): Contender => {
    const build = (folder: string) => slipway('build', ...flags, '--isolation', isolation, folder);
    const each = { times: count, fixed: { times: 1, command: build(one) } };
    return { name: `slipway, ${isolation}`, role: 'ours', command: build(many), each, env: place.store() };
  };
  const theirs = [
    await write('peer-many', `oci:${layout}`, count),
    await write('peer-one', `oci:${layout}`, 1),
  ] as const;
  return {
    subject: perOne('slipway, runc'),
    contenders: [...(await runc(bench, layout, command)), ...buildah(bench, theirs), ...isolations.map(ours)],
    bars: [
      { beyond: perOne(limit), figure: 'wall', atMost: beyond },
      { to: perOne('buildah build --layers'), figure: 'wall', atMost: 1 },
    ],
  };
}

function buildah({ peers }: Bench, [many, one]: readonly [many: string, one: string]): Contender[] {
  const build = (folder: string) => peers.buildah('build', '--layers', '--no-cache', '--network', 'host', '-q', folder);
  const [command, fixed] = [build(many), build(one)];
  if (command === undefined || fixed === undefined) return [];
  const each = { times: count, fixed: { times: 1, command: fixed } };
  return [{ name: 'buildah build --layers', role: 'peer', command, each, env: peers.env }];
}

/** Nobody builds: containers one after the other, each on an overlay of its own. */
async function runc({ place, peers }: Bench, layout: string, command: string): Promise<Contender[]> {
  if (peers.program('runc') === undefined || process.getuid?.() !== 0) return [];
  const folder = place.path('runc');
  await unpackLayers(layout, join(folder, 'lower'));
  await writeBundle(place, command);
  const steps = (times: number) => [join(project, 'bench/work/runc-steps.sh'), folder, String(times)] as const;
  const each = { times: count, fixed: { times: 1, command: steps(1) } };
  return [{ name: limit, role: 'limit', command: steps(count), each }];
}

async function unpackLayers(layout: string, folder: string): Promise<void> {
  const read = async (digest: string): Promise<unknown> =>
    JSON.parse(await readFile(join(layout, 'blobs', digest.replace(':', '/')), 'utf8'));
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as Listed<'manifests'>;
  const { layers } = (await read(index.manifests[0]?.digest ?? '')) as Listed<'layers'>;
  await mkdir(folder, { recursive: true });
  for (const { digest } of layers)
    await run(['tar', '-xzpf', join(layout, 'blobs', digest.replace(':', '/')), '--numeric-owner', '-C', folder]);
}

type Listed<Name extends string> = Readonly<Record<Name, readonly { readonly digest: string }[]>>;

/** runc's own specification, without a terminal and on the machine's network. */
async function writeBundle(place: Place, command: string): Promise<void> {
  const bundle = place.path('runc', 'bundle');
  await mkdir(bundle, { recursive: true });
  await run(['runc', 'spec', '--bundle', bundle]);
  const file = join(bundle, 'config.json');
  const spec = JSON.parse(await readFile(file, 'utf8')) as RuncSpec;
  spec.process.terminal = false;
  spec.process.args = ['/bin/sh', '-c', command];
  spec.root = { path: place.path('runc', 'merged'), readonly: false };
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
  await writeFile(file, JSON.stringify(spec));
}

interface RuncSpec {
  readonly process: { terminal: boolean; args: readonly string[] };
  root: { readonly path: string; readonly readonly: boolean };
  readonly linux: { namespaces: readonly { readonly type: string }[] };
}

async function context(
  folder: string,
  { base, command, times }: { readonly base: string; readonly command: string; readonly times: number },
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const lines = Array.from({ length: times }, (_, at) => `RUN ${command}; : ${at}\n`);
  await writeFile(join(folder, 'Dockerfile'), `FROM ${base}\n${lines.join('')}`);
  return folder;
}
