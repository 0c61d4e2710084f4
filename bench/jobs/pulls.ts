import { join } from 'node:path';
import { type Builder, contender } from '../builders/builder.ts';
import { openSite, type Site } from '../builders/site.ts';
import type { Bar, Bench, Command, Comparison, Contender, Job } from '../measure/index.ts';
import { pipeline, run, script } from '../places/index.ts';
import { bigCopy } from '../workloads/big-copy.ts';
import { ciNode } from '../workloads/ci-node.ts';
import type { Workload } from '../workloads/workload.ts';

type MakeWorkload = (folder: string, bench: Bench) => Promise<Workload>;
type MakeContenders = (site: Site, image: string, bench: Bench) => Promise<Contender[]>;

interface PullJob {
  readonly name: string;
  readonly title: string;
  readonly workload: MakeWorkload;
  readonly contenders: MakeContenders;
  readonly bars?: readonly Bar[];
  readonly rounds?: number;
}

const best = { best: 'peer' } as const;
const node: MakeWorkload = (folder, { inputs }) => ciNode(folder, inputs);
const twice: readonly Bar[] = [
  { to: 'podman', figure: 'wall', atMost: 0.5 },
  { to: 'docker', figure: 'wall', atMost: 0.5 },
  { to: 'podman', figure: 'cpu', atMost: 0.5 },
  { to: 'docker', figure: 'cpu', atMost: 0.5 },
];

/** Images that were built, pulled and pushed, beside the newest programs that there are. */
export const pulls: readonly Job[] = [
  pullJob({
    name: 'pull-node',
    title: 'a Node application of five layers: pull and unpack into an empty store',
    workload: node,
    contenders: fresh,
    bars: twice,
  }),
  pullJob({
    name: 'pull-copy',
    title: 'an image with 20,000 files of 380 MB: pull and unpack into an empty store',
    workload: bigCopy,
    contenders: fresh,
    bars: twice,
    rounds: 3,
  }),
  pullJob({
    name: 'pull-node-again',
    title: 'a Node application of five layers: pull with everything there',
    workload: node,
    contenders: again((builder, image) => builder.pull?.(image)),
    bars: [{ to: best, figure: 'wall', atMost: 1 }],
    rounds: 10,
  }),
  pullJob({
    name: 'push-node-again',
    title: 'a Node application of five layers: push with everything there',
    workload: node,
    contenders: again((builder, image) => builder.push?.(image)),
    rounds: 10,
  }),
];

function pullJob({ name, title, workload, contenders, ...rest }: PullJob): Job {
  return {
    name,
    title,
    onlyByName: true,
    make: async (bench): Promise<Comparison> => {
      const site = await openSite(bench, ['slipway', 'podman', 'docker']);
      const { context } = await workload(bench.place.path('context'), bench);
      const image = site.image('app');
      const maker = site.builders.find(({ role }) => role === 'ours');
      if (maker === undefined) throw new Error('nobody builds the image');
      await run(maker.build({ context, base: site.base, name: image, push: true }), maker.env);
      return { contenders: await contenders(site, image, bench), ...rest };
    },
  };
}

/** What a machine pays that has never seen the image, and what it would take without any program like ours. */
async function fresh({ builders }: Site, image: string, { place, peers }: Bench): Promise<Contender[]> {
  const pullers = builders.flatMap((builder) => {
    const command = builder.pull?.(image);
    return command === undefined ? [] : [{ ...contender(builder, command), prepare: () => builder.forget() }];
  });
  const [layout, bundle] = [place.path('layout'), place.path('bundle')];
  const copy = peers.call('skopeo', 'copy', '-q', '--src-tls-verify=false', `docker://${image}`, `oci:${layout}:app`);
  const unpack = peers.call('umoci', 'unpack', '--image', `${layout}:app`, bundle);
  const prepare = () => place.clear('layout', 'bundle', 'unpacked');
  if (copy !== undefined && unpack !== undefined)
    pullers.push({ name: 'skopeo and umoci', role: 'peer', command: script(copy, unpack), prepare });
  const blobs = await layersOf(image);
  for (const program of ['gzip', 'pigz', 'igzip']) {
    const inflate = peers.call(program, '-dc');
    if (inflate === undefined) continue;
    const command = unpackAll(blobs, inflate, place.path('unpacked'));
    pullers.push({ name: `curl, ${program}, tar x`, role: 'limit', command, prepare });
  }
  return pullers;
}

function again(command: (builder: Builder, image: string) => Command | undefined): MakeContenders {
  return async ({ builders }, image) => {
    const found: Contender[] = [];
    for (const builder of builders) {
      const [first, measured] = [builder.pull?.(image), command(builder, image)];
      if (first === undefined || measured === undefined) continue;
      await run(first, builder.env);
      found.push(contender(builder, measured));
    }
    return found;
  };
}

/** Layers one after the other into one folder; nothing is checked. */
function unpackAll(blobs: readonly string[], inflate: Command, folder: string): Command {
  const each = blobs.map((blob) => pipeline(['curl', '-sSf', blob], inflate, ['tar', '-xp', '-C', folder]));
  return script(['mkdir', '-p', folder], ...each);
}

/** The addresses of an image's layers. */
async function layersOf(image: string): Promise<string[]> {
  const [, host = '', name = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(image) ?? [];
  const address = `http://${join(host, 'v2', name)}`;
  const headers = { Accept: 'application/vnd.oci.image.manifest.v1+json' };
  const answer: unknown = await (await fetch(`${address}/manifests/${tag}`, { headers })).json();
  return digestsOf(answer).map((digest) => `${address}/blobs/${digest}`);
}

function digestsOf(manifest: unknown): string[] {
  const { layers } = manifest as { readonly layers: readonly { readonly digest: string }[] };
  return layers.map(({ digest }) => digest);
}
