import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison, Contender } from './harness.ts';
import { peers } from './peers.ts';
import { Place, project, run, slipway } from './place.ts';

const folders = 200;
const filesEach = 100;
const steps = 40;

/**
 * A context of 20,000 small files: a rebuild of 40 steps of which nothing has changed, beside buildah, and what it costs to look
 * at all files. Bars: 400 ms and a third of buildah's time; 100 ms for files that are known, 200 ms for those that are not.
 */
export async function context(): Promise<Comparison> {
  const place = await Place.make();
  const layout = place.path('busybox');
  await run([process.execPath, join(project, 'tools', 'make-busybox-layout.ts'), layout]);
  const ours = await makeContext(place.path('ours'), 'busybox');
  const theirs = await makeContext(place.path('theirs'), `oci:${layout}`);
  const command = slipway('build', '-q', '--build-context', `busybox=oci-layout://${layout}`, ours);
  const env = place.store();
  await new Promise((resolve) => setTimeout(resolve, 3500)); // what was just written is read again
  await run(command, env);
  const { env: peerEnv, buildah } = await peers(place);
  const peer = buildah('build', '--layers', '--network', 'host', '-q', theirs);
  if (peer !== undefined) await run(peer, peerEnv);
  return {
    title: `a rebuild of ${steps} steps over ${folders * filesEach} files`,
    rounds: 10,
    reference: 'slipway build, all from the cache',
    contenders: [
      ...(peer === undefined ? [] : [{ name: 'buildah build --layers', command: peer, env: peerEnv }]),
      { name: 'slipway build, all from the cache', command, env },
      digest('all files looked at, known', ours, place.path('caches')),
      digest('all files looked at and read', ours, '-'),
    ],
    close: () => place.close(),
  };
}

function digest(name: string, folder: string, cache: string): Contender {
  const command = (times: number) =>
    [process.execPath, join(project, 'bench', 'context-work.ts'), folder, cache, String(times)] as const;
  const [times, fixed] = [12, 2];
  return { name, command: command(times), each: { times, fixed: { times: fixed, command: command(fixed) } } };
}

async function makeContext(folder: string, base: string): Promise<string> {
  for (let at = 0; at < folders; at++) {
    const inner = join(folder, 'src', `d${at}`);
    await mkdir(inner, { recursive: true });
    for (let file = 0; file < filesEach; file++) {
      await writeFile(join(inner, `f${file}.js`), `export const value = ${at * filesEach + file};\n`.repeat(30));
    }
  }
  const copies = Array.from({ length: steps / 2 - 1 }, (_, at) => `COPY src/d${at} /n/${at}\nRUN : ${at}\n`);
  await writeFile(join(folder, 'Dockerfile'), `FROM ${base}\nCOPY . /all/\nRUN :\n${copies.join('')}`);
  await writeFile(join(folder, '.dockerignore'), 'node_modules\n**/*.log\n.git\ndist\n*.md\n!README.md\n');
  await utimes(join(folder, 'Dockerfile'), 1_000_000_000, 1_000_000_000);
  return folder;
}
