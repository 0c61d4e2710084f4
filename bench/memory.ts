import { randomFillSync } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { debianRegistry } from '../test/registry/debian-registry.ts';
import type { Comparison } from './harness.ts';
import { Place, slipway } from './place.ts';

const mebibytes = Number(process.env['SLIPWAY_BENCH_LAYER_MB'] ?? 4096);

/**
 * Peak memory with one file of 4 GiB in one layer (`SLIPWAY_BENCH_LAYER_MB`). Bar: 250 MB. Wants some 25 GB of free space.
 * Each is run once, in this order: later ones take what earlier ones made.
 */
export async function memory(): Promise<Comparison> {
  const place = await Place.make();
  const registry = await debianRegistry(place.folder);
  place.onClose(() => registry.close());
  const context = await largeContext(place);
  const name = `${registry.host}/large:latest`;
  const [archive, tar] = [place.path('saved.tar'), place.path('tree.tar')];
  const env = { ...place.store(), TMPDIR: place.folder };
  const elsewhere = { env: { ...env, ...place.store('other') }, prepare: () => place.clear('other') };
  return {
    title: `one layer of ${mebibytes} MiB`,
    rounds: 1,
    warmups: 0,
    contenders: [
      { name: 'build (COPY)', command: slipway('build', '-q', '-t', name, context), env },
      { name: 'push', command: slipway('push', name), env },
      { name: 'save', command: slipway('save', '-o', archive, name), env },
      { name: 'pull', command: slipway('pull', name), ...elsewhere },
      { name: 'load', command: slipway('load', '-i', archive), ...elsewhere },
      { name: 'build -o type=tar', command: slipway('build', '-q', '-o', `type=tar,dest=${tar}`, context), env },
      { name: 'import', command: slipway('import', tar, 'large:imported'), ...elsewhere },
    ],
    close: () => place.close(),
  };
}

/** A quarter of the file is random, the rest half zeros: large when compressed too, and not too slow to compress. */
async function largeContext(place: Place): Promise<string> {
  const folder = place.path('context');
  await mkdir(folder);
  await writeFile(`${folder}/Dockerfile`, 'FROM scratch\nCOPY large /large\n');
  const file = await open(`${folder}/large`, 'wx');
  try {
    const half = randomFillSync(Buffer.alloc(1 << 20));
    half.fill(0, half.length / 2);
    const random = Buffer.alloc(1 << 20);
    for (let at = 0; at < mebibytes; at += 1) await file.write(at % 4 === 0 ? randomFillSync(random) : half);
  } finally {
    await file.close();
  }
  return folder;
}
