import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison, Contender } from './harness.ts';
import { peers } from './peers.ts';
import { Place, project, run, slipway } from './place.ts';

const count = 40;

/** What a RUN step costs beside its program: forty that do nothing. Bars: 60 ms with runc, 40 ms in the sandbox. */
export async function steps(): Promise<Comparison> {
  const place = await Place.make();
  const layout = place.path('busybox');
  await run([process.execPath, join(project, 'tools', 'make-busybox-layout.ts'), layout]);
  const many = await context(place, 'many', { base: 'busybox', steps: count });
  const one = await context(place, 'one', { base: 'busybox', steps: 1 });
  const ours = (isolation: string): Contender => {
    const command = (folder: string) =>
      slipway(
        'build',
        '--no-cache',
        '-q',
        '--isolation',
        isolation,
        '--build-context',
        `busybox=oci-layout://${layout}`,
        folder,
      );
    const fixed = { times: 1, command: command(one) };
    return { name: `slipway, ${isolation}`, command: command(many), each: { times: count, fixed }, env: place.store() };
  };
  return {
    rounds: 5,
    title: `${count} RUN steps that do nothing`,
    contenders: [...(await buildah(place, layout)), ours('runc'), ours('sandbox')],
    close: () => place.close(),
  };
}

async function buildah(place: Place, layout: string): Promise<Contender[]> {
  const { env, buildah } = await peers(place);
  const build = (folder: string) => buildah('build', '--layers', '--no-cache', '--network', 'host', '-q', folder);
  const command = build(await context(place, 'buildah-many', { base: `oci:${layout}`, steps: count }));
  const fixed = build(await context(place, 'buildah-one', { base: `oci:${layout}`, steps: 1 }));
  if (command === undefined || fixed === undefined) return [];
  const each = { times: count, fixed: { times: 1, command: fixed } };
  return [{ name: 'buildah build --layers', command, each, env }];
}

async function context(place: Place, name: string, { base, steps }: { base: string; steps: number }): Promise<string> {
  const folder = place.path(name);
  await mkdir(folder, { recursive: true });
  const lines = Array.from({ length: steps }, (_, at) => `RUN : ${at}\n`);
  await writeFile(join(folder, 'Dockerfile'), `FROM ${base}\n${lines.join('')}`);
  return folder;
}
