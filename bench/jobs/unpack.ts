import { mkdir, stat } from 'node:fs/promises';
import { digestOf, type LayerFiles } from '../inputs/index.ts';
import type { Bar, Bench, Command, Comparison, Contender, Job } from '../measure/index.ts';
import { bundled, pipeline, run, slipway } from '../places/index.ts';

const library = 'slipway: one layer, as the store does it';

/** Ours checks the digests of the compressed and of the plain bytes on the way; the peers check nothing. */
export const unpackDebian: Job = {
  name: 'unpack-debian',
  title: 'the layer of a Debian of 180 MB unpacked',
  make: async (bench) =>
    unpack(bench, await bench.inputs.debian(), [
      { to: 'tar xzf', figure: 'wall', atMost: 1 / 1.5 },
      { to: 'tar xzf', figure: 'cpu', atMost: 1 },
    ]),
};

export const unpackSmall: Job = {
  name: 'unpack-small',
  title: 'a layer of 20,000 small files unpacked',
  make: async (bench) =>
    unpack(bench, await bench.inputs.small(), [{ to: 'pigz -dc | tar x', figure: 'wall', atMost: 1 }]),
};

async function unpack({ place, peers }: Bench, files: LayerFiles, bars: readonly Bar[]): Promise<Comparison> {
  const out = place.path('out');
  const prepare = async () => {
    await place.clear('out', 'store');
    await mkdir(out);
  };
  const digest = `sha256:${await digestOf(files.gzip, 'as it is')}`;
  const diffId = `sha256:${await digestOf(files.gzip, 'inflated')}`;
  const { size } = await stat(files.gzip);
  const apply = await bundled('unpack', files.gzip, out, digest, String(size), diffId);
  const archive = place.path('image.tar');
  await run(['tar', '-cf', archive, '-C', files.layout, '.']);
  const extract = ['tar', '-xp', '--numeric-owner', '-C', out] as const;
  const pigz = peers.call('pigz', '-dc', files.gzip);
  const umoci = peers.call('umoci', 'unpack', '--image', `${files.layout}:latest`, `${out}/bundle`);
  const peer = (name: string, command: Command | undefined): Contender[] =>
    command === undefined ? [] : [{ name, role: 'peer', command, prepare }];
  return {
    subject: library,
    bars,
    contenders: [
      { name: 'tar x, not compressed', role: 'limit', command: [...extract, '-f', files.tar], prepare },
      ...sha256sums(files),
      ...peer('tar xzf', [...extract, '-zf', files.gzip]),
      ...peer('pigz -dc | tar x', pigz && pipeline(pigz, extract)),
      ...peer('umoci unpack', umoci),
      { name: library, role: 'ours', command: apply, prepare },
      {
        name: 'slipway load: archive to store, blob kept',
        role: 'ours',
        command: slipway('load', '-q', '-i', archive),
        env: place.store(),
        prepare,
      },
    ],
  };
}

function sha256sums({ tar, gzip }: LayerFiles): Contender[] {
  return [{ name: 'sha256sum of both forms', role: 'limit', command: ['sha256sum', tar, gzip] }];
}
