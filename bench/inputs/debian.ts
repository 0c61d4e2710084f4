import { cp, link, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { into, project, run } from '../places/index.ts';
import { cached } from './cache.ts';
import { writeLayout } from './layout.ts';

/** One tree in the forms that programs take, and as an OCI layout of one gzip layer, named `latest`. */
export interface LayerFiles {
  readonly tar: string;
  /** gzip -6; `zstd` is at 3 and there when the program is. */
  readonly gzip: string;
  readonly zstd: string;
  readonly layout: string;
}

/** A minimal Debian of 180 MB. */
export async function debian(): Promise<LayerFiles> {
  const base = await debianBase();
  return layerFiles('debian', async (tar) => {
    await link(join(base, 'base.tar'), tar).catch(() => cp(join(base, 'base.tar'), tar));
  });
}

/** The context of the Node web application of the end-to-end tests, with its packages, which stand on {@link debian}. */
export async function webApp(folder: string): Promise<void> {
  await cp(join(project, 'test', 'fixtures', 'web-app'), folder, { recursive: true });
  await cp(join(await debianBase(), 'debs'), join(folder, 'debs'), { recursive: true });
}

/** What the end-to-end tests also use; made from Debian's packages, so it changes as Debian does. */
async function debianBase(): Promise<string> {
  const base = join(project, '.cache', 'debian-base');
  await run([join(project, 'tools', 'make-debian-base.sh'), base]);
  return base;
}

/** All forms of a tree that `write` makes as a tar. */
export async function layerFiles(name: string, write: (tar: string) => Promise<void>): Promise<LayerFiles> {
  const folder = await cached(name, async (making) => {
    const tar = join(making, 'layer.tar');
    await write(tar);
    await run(into(`${tar}.gz`, ['gzip', '-6nc', tar]));
    await run(['zstd', '-q', '-3', '-k', tar]).catch(() => undefined);
    const spare = join(making, 'spare.gz');
    await link(`${tar}.gz`, spare);
    await mkdir(join(making, 'layout.part'));
    await writeLayout(join(making, 'layout.part'), [spare]);
    await rename(join(making, 'layout.part'), join(making, 'layout'));
  });
  const tar = join(folder, 'layer.tar');
  return { tar, gzip: `${tar}.gz`, zstd: `${tar}.zst`, layout: join(folder, 'layout') };
}
