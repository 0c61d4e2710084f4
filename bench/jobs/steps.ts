import { mkdir, writeFile } from 'node:fs/promises';
import type { Bench, Comparison, Contender, Job } from '../measure/index.ts';
import { type Place, slipway } from '../places/index.ts';

const count = 40;

/** What a RUN step costs beside its program, in rows `…, one`: forty that do nothing, less one. */
export const steps: Job = { name: 'steps', title: `${count} RUN steps that do nothing`, make: manySteps };

async function manySteps({ place, inputs, peers }: Bench): Promise<Comparison> {
  const layout = await inputs.busybox(place);
  const many = await context(place, 'many', { base: 'busybox', steps: count });
  const one = await context(place, 'one', { base: 'busybox', steps: 1 });
  const flags = ['--no-cache', '-q', '--build-context', `busybox=oci-layout://${layout}`];
  const ours = (isolation: string): Contender => {
    const command = (folder: string) => slipway('build', ...flags, '--isolation', isolation, folder);
    const each = { times: count, fixed: { times: 1, command: command(one) } };
    return { name: `slipway, ${isolation}`, role: 'ours', command: command(many), each, env: place.store() };
  };
  return {
    subject: 'slipway, runc, one',
    contenders: [...(await buildah({ place, peers }, layout)), ours('runc'), ours('sandbox')],
    bars: [
      { to: { best: 'peer' }, figure: 'wall', atMost: 1 },
      { figure: 'wall', atMost: 60 },
      { of: 'slipway, sandbox, one', figure: 'wall', atMost: 40 },
    ],
  };
}

async function buildah({ place, peers }: Pick<Bench, 'place' | 'peers'>, layout: string): Promise<Contender[]> {
  const build = (folder: string) => peers.buildah('build', '--layers', '--no-cache', '--network', 'host', '-q', folder);
  const command = build(await context(place, 'buildah-many', { base: `oci:${layout}`, steps: count }));
  const fixed = build(await context(place, 'buildah-one', { base: `oci:${layout}`, steps: 1 }));
  if (command === undefined || fixed === undefined) return [];
  const each = { times: count, fixed: { times: 1, command: fixed } };
  return [{ name: 'buildah build --layers', role: 'peer', command, each, env: peers.env }];
}

async function context(place: Place, name: string, { base, steps }: { base: string; steps: number }): Promise<string> {
  const folder = place.path(name);
  await mkdir(folder, { recursive: true });
  const lines = Array.from({ length: steps }, (_, at) => `RUN : ${at}\n`);
  await writeFile(`${folder}/Dockerfile`, `FROM ${base}\n${lines.join('')}`);
  return folder;
}
