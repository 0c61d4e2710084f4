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

/** What jobs work on. Each is made when it is first asked for, kept between runs, and only read. */
export interface Inputs {
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

const shapes = {
  small: { seed: 'small', files: 20_000, sizes: [150, 10_300] },
  mixed: { seed: 'mixed', files: 20_000, sizes: [100, 138_000] },
} as const satisfies Readonly<Record<string, TreeShape>>;

const layerCount = 12;

export const inputs: Inputs = {
  debian,
  webApp,
  small: () => layerFiles('small', (tar) => writeTree(tar, shapes.small)),
  mixed: () => layerFiles('mixed', (tar) => writeTree(tar, shapes.mixed)),
  large: writeLarge,
  twelveLayers: () =>
    layoutOf('twelve-layers', async (folder, at) => {
      const tar = join(folder, `${at}.tar`);
      await writeTree(tar, { ...shapes.mixed, seed: `layer ${at}`, files: Math.round(20_000 / layerCount) });
      await run(into(`${tar}.gz`, ['gzip', '-6nc', tar]));
      await run(['rm', tar]);
      return `${tar}.gz`;
    }),
  opaqueLayers: () =>
    layoutOf('opaque-layers', async (folder, at) => {
      const file = join(folder, `${at}.gz`);
      await writeFile(file, gzipSync(new Random(`opaque ${at}`).bytes(40 << 20), { level: 0 }));
      return file;
    }),
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
};

async function layoutOf(name: string, makeLayer: (folder: string, at: number) => Promise<string>): Promise<string> {
  const folder = await cached(name, async (making) => {
    const layers: string[] = [];
    for (let at = 0; at < layerCount; at += 1) layers.push(await makeLayer(making, at));
    await writeLayout(join(making, 'layout'), layers);
  });
  return join(folder, 'layout');
}
