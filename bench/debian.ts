import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { debianRegistry } from '../test/registry/debian-registry.ts';
import { type Place, project, run, slipway } from './place.ts';

export interface DebianImage {
  /** A minimal Debian of 180 MB, in Debian's registry on the loopback. */
  readonly name: string;
  /** The context of the Node web application of the end-to-end tests. */
  readonly webApp: string;
}

/** The image and the application that the end-to-end tests use. */
export async function debianImage(place: Place): Promise<DebianImage> {
  const base = join(project, '.cache', 'debian-base');
  await run([join(project, 'tools', 'make-debian-base.sh'), base]);
  const registry = await debianRegistry(place.folder);
  place.onClose(() => registry.close());
  const name = `${registry.host}/debian:bookworm`;
  const env = place.store('maker');
  await run(slipway('import', join(base, 'base.tar'), name), env);
  await run(slipway('push', name), env);
  await place.clear('maker');
  const webApp = place.path('web-app');
  await cp(join(project, 'test', 'fixtures', 'web-app'), webApp, { recursive: true });
  await cp(join(base, 'debs'), join(webApp, 'debs'), { recursive: true });
  return { name, webApp };
}
