import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Comparison, Contender, Job } from '../measure/index.ts';
import { run, slipway, work } from '../places/index.ts';

const folders = 200;
const filesEach = 100;
const steps = 40;

/** A context of 20,000 files is looked at, by one process many times: with known states of files, and with none, when all are read. */
export const contextHash: Job = {
  name: 'context-hash',
  title: 'a context of 20,000 files hashed, .dockerignore included',
  async make({ place }) {
    const folder = await makeContext(place.path('context'), 'busybox');
    await delay(3500); // what was just written is read again
    return {
      subject: 'unchanged, one',
      contenders: [
        limit('find -printf (every file looked at)', ['find', folder, '-printf', '%s %T@ %p\\0']),
        limit('sha256sum of every file', [
          '/bin/sh',
          '-ec',
          'find "$1" -type f -print0 | xargs -0 sha256sum',
          'sh',
          folder,
        ]),
        digest('unchanged', folder, place.path('caches')),
        digest('cold: every file read', folder, '-'),
      ],
      bars: [
        { figure: 'wall', atMost: 100 },
        { of: 'cold: every file read, one', figure: 'wall', atMost: 200 },
      ],
    };
  },
};

/** A rebuild of 40 steps over that context, of which nothing has changed: whole processes. */
export const cachedRebuild: Job = {
  name: 'cached-rebuild',
  title: `${steps} steps over 20,000 files, rebuilt from the cache`,
  make: rebuild,
};

async function rebuild({ place, inputs, peers }: Bench): Promise<Comparison> {
  const layout = await inputs.busybox(place);
  const ours = await makeContext(place.path('ours'), 'busybox');
  const theirs = await makeContext(place.path('theirs'), `oci:${layout}`);
  const command = slipway('build', '-q', '--build-context', `busybox=oci-layout://${layout}`, ours);
  const env = place.store();
  await delay(3500);
  await run(command, env);
  const contenders: Contender[] = [{ name: 'slipway build', role: 'ours', command, env }];
  const peer = peers.buildah('build', '--layers', '--network', 'host', '-q', theirs);
  if (peer !== undefined) {
    await run(peer, peers.env);
    contenders.push({ name: 'buildah build --layers', role: 'peer', command: peer, env: peers.env });
  }
  return {
    contenders,
    rounds: 10,
    bars: [
      { figure: 'wall', atMost: 250 },
      { to: 'buildah build --layers', figure: 'wall', atMost: 1 / 3 },
    ],
  };
}

function limit(name: string, command: Contender['command']): Contender {
  return { name, role: 'limit', command };
}

/** Times in the process: the same process that does it twice is taken off one that does it twelve times. */
function digest(name: string, folder: string, cache: string): Contender {
  const command = (times: number) => work('context', folder, cache, String(times));
  const [times, fixed] = [12, 2];
  return {
    name,
    role: 'ours',
    command: command(times),
    each: { times, fixed: { times: fixed, command: command(fixed) } },
  };
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
