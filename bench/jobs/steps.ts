import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCapabilities } from '../../src/container/capabilities.ts';
import { sandboxMachine } from '../../src/container/sandbox/machine.ts';
import { policyFilter } from '../../src/container/seccomp/filter.ts';
import { ociSeccomp } from '../../src/container/seccomp/oci.ts';
import { type Bench, type Comparison, type Contender, type Job, perOne } from '../measure/index.ts';
import { project, run, slipway } from '../places/index.ts';

const count = 40;
const limit = 'runc run on an overlay';
/** runc's own specification lets every system call pass; compiling docker's policy is a third of what runc then does. */
const limitWithPolicy = `${limit}, with a policy of system calls`;

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
  const machine = sandboxMachine();
  const policy = machine && ociSeccomp(policyFilter(machine, defaultCapabilities), machine);
  const plain = await runcAlone(limit, { folder: place.path('runc'), layout, command });
  if (policy === undefined) return [plain];
  const folder = place.path('runc-policy');
  return [plain, await runcAlone(limitWithPolicy, { folder, layout, command, policy })];
}

interface RuncAlone {
  readonly folder: string;
  readonly layout: string;
  readonly command: string;
  readonly policy?: object;
}

async function runcAlone(name: string, { folder, layout, ...container }: RuncAlone): Promise<Contender> {
  await unpackLayers(layout, join(folder, 'lower'));
  await writeBundle(folder, container);
  const steps = (times: number) => [join(project, 'bench/work/runc-steps.sh'), folder, String(times)] as const;
  const each = { times: count, fixed: { times: 1, command: steps(1) } };
  return { name, role: 'limit', command: steps(count), each };
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
async function writeBundle(folder: string, { command, policy }: Pick<RuncAlone, 'command' | 'policy'>): Promise<void> {
  const bundle = join(folder, 'bundle');
  await mkdir(bundle, { recursive: true });
  await run(['runc', 'spec', '--bundle', bundle]);
  const file = join(bundle, 'config.json');
  const spec = JSON.parse(await readFile(file, 'utf8')) as RuncSpec;
  spec.process.terminal = false;
  spec.process.args = ['/bin/sh', '-c', command];
  spec.root = { path: join(folder, 'merged'), readonly: false };
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network');
  if (policy !== undefined) spec.linux.seccomp = policy;
  await writeFile(file, JSON.stringify(spec));
}

interface RuncSpec {
  readonly process: { terminal: boolean; args: readonly string[] };
  root: { readonly path: string; readonly readonly: boolean };
  readonly linux: { namespaces: readonly { readonly type: string }[]; seccomp?: object };
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
