import { mkdir, writeFile } from 'node:fs/promises';
import type { Bar, Bench, Command, Comparison, Contender, Job } from '../measure/index.ts';
import { slipway } from '../places/index.ts';

const mebibytes = Number(process.env['SLIPWAY_BENCH_LAYER_MB'] ?? 4096);

/**
 * Peak memory with one file of 4 GiB in one layer (`SLIPWAY_BENCH_LAYER_MB`). Wants some 25 GB of free space, which memory does not have.
 * Each is run once, in this order: later ones take what earlier ones made.
 */
export const memory: Job = {
  name: 'memory',
  title: `peak memory with one layer of ${mebibytes} MiB`,
  onlyByName: true,
  places: ['ext4', 'folder'],
  make: commands,
};

async function commands({ place, inputs }: Bench): Promise<Comparison> {
  const registry = await inputs.registry(place);
  const context = place.path('context');
  await mkdir(context);
  await writeFile(`${context}/Dockerfile`, 'FROM scratch\nCOPY large /large\n');
  await inputs.large(`${context}/large`, mebibytes);
  const name = `${registry.host}/large:latest`;
  const [archive, tar] = [place.path('saved.tar'), place.path('tree.tar')];
  const env = { ...place.store(), TMPDIR: place.folder };
  const elsewhere = { env: { ...env, ...place.store('other') }, prepare: () => place.clear('other') };
  const ours = (title: string, command: Command, more: Partial<Contender> = { env }): Contender => ({
    name: title,
    role: 'ours',
    command,
    ...more,
  });
  const contenders = [
    ours('build (COPY)', slipway('build', '-q', '-t', name, context)),
    ours('push', slipway('push', name)),
    ours('save', slipway('save', '-o', archive, name)),
    ours('pull', slipway('pull', name), elsewhere),
    ours('load', slipway('load', '-i', archive), elsewhere),
    ours('build -o type=tar', slipway('build', '-q', '-o', `type=tar,dest=${tar}`, context)),
    ours('import', slipway('import', tar, 'large:imported'), elsewhere),
  ];
  const bars = contenders.map((each): Bar => ({ of: each.name, figure: 'memory', atMost: 200e6 }));
  return { rounds: 1, warmups: 0, contenders, bars };
}
