import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { debianRegistry } from '../../test/registry/debian-registry.ts';
import { into, type Place, project, run } from '../places/index.ts';
import { cached } from './cache.ts';
import { debian, type LayerFiles, layerFiles, webApp } from './debian.ts';
import { writeLarge } from './large.ts';
import { writeLayout } from './layout.ts';
import { Random } from './random.ts';
import { type TreeShape, writeTree } from './trees.ts';

export type { LayerFiles } from './debian.ts';
export { digestOf } from './layout.ts';

/** What jobs work on. Each is made when it is first asked for, kept between runs, and only read. */
export interface Inputs {
  readonly scale: Scale;
  /** A minimal Debian of 180 MB; wants mmdebstrap and its mirror once. */
  debian(): Promise<LayerFiles>;
  /** Puts the Node web application's context into a folder. */
  webApp(folder: string): Promise<void>;
  /** 20,000 files of 48 MB in all. */
  small(): Promise<LayerFiles>;
  /** 20,000 files of 380 MB in all. */
  mixed(): Promise<LayerFiles>;
  /** An image of 12 layers, 390 MB in all, as a layout; `latest`. */
  twelveLayers(): Promise<string>;
  /** An image of 12 layers of 40 MiB that do not compress and hold no files, as a layout; `latest`. */
  opaqueLayers(): Promise<string>;
  /** A small base with a shell, as a layout of one image in the place: buildah takes its path for a name, which not every path can be. */
  busybox(place: Place): Promise<string>;
  /** Writes one file of as many mebibytes. It is not kept. */
  large(file: string, mebibytes: number): Promise<void>;
  /** Unpacks a tar into a folder, which is made, as GNU tar does it. */
  unpack(tar: string, folder: string): Promise<void>;
  /** Debian's docker-registry on the loopback, which keeps its data in the place. */
  registry(place: Place): Promise<RunningRegistry>;
}

export interface RunningRegistry {
  readonly host: string;
  /** Takes everything out of it. */
  readonly clear: () => Promise<void>;
}

const layerCount = 12;
const sizes = { small: [150, 10_300], mixed: [100, 138_000] } as const;

/** What is measured, or the same in tiny, which tells whether the benchmark itself works: a hundred files in place of 20,000, and of Debian. */
export type Scale = 'full' | 'tiny';

export function inputsOf(scale: Scale): Inputs {
  const files = scale === 'full' ? 20_000 : 100;
  const tree = (seed: string, count: number): TreeShape => ({
    seed,
    files: count,
    sizes: seed === 'small' ? sizes.small : sizes.mixed,
  });
  const layer = (name: string) => layerFiles(`${name}-${files}`, (tar) => writeTree(tar, tree(name, files)));
  const opaqueSize = scale === 'full' ? 40 << 20 : 1 << 16;
  return {
    ...always,
    scale,
    debian: scale === 'full' ? debian : () => layer('instead-of-debian'),
    small: () => layer('small'),
    mixed: () => layer('mixed'),
    twelveLayers: () =>
      layoutOf(`twelve-layers-${files}`, async (folder, at) => {
        const tar = join(folder, `${at}.tar`);
        await writeTree(tar, tree(`layer ${at}`, Math.round(files / layerCount)));
        await run(into(`${tar}.gz`, ['gzip', '-6nc', tar]));
        await run(['rm', tar]);
        return `${tar}.gz`;
      }),
    opaqueLayers: () =>
      layoutOf(`opaque-layers-${opaqueSize}`, async (folder, at) => {
        const file = join(folder, `${at}.gz`);
        await writeFile(file, gzipSync(new Random(`opaque ${at}`).bytes(opaqueSize), { level: 0 }));
        return file;
      }),
  };
}

/** What is the same in every scale. */
const always = {
  webApp,
  large: writeLarge,
  busybox: async (place) => {
    const folder = place.path('busybox');
    await run([process.execPath, join(project, 'tools', 'make-busybox-layout.ts'), folder]);
    return folder;
  },
  unpack: async (tar, folder) => {
    await mkdir(folder, { recursive: true });
    await run(['tar', '-xpf', tar, '--numeric-owner', '-C', folder]);
  },
  registry: async (place) => {
    await mkdir(place.path('registry'), { recursive: true });
    const registry = await debianRegistry(place.path('registry'));
    place.onClose(() => registry.close());
    const clear = async () => {
      for (const root of await readdir(place.path('registry'))) await place.clear(join('registry', root, 'data'));
    };
    return { host: registry.host, clear };
  },
} as const satisfies Partial<Inputs>;

async function layoutOf(name: string, makeLayer: (folder: string, at: number) => Promise<string>): Promise<string> {
  const folder = await cached(name, async (making) => {
    const layers: string[] = [];
    for (let at = 0; at < layerCount; at += 1) layers.push(await makeLayer(making, at));
    await writeLayout(join(making, 'layout'), layers);
  });
  return join(folder, 'layout');
}
