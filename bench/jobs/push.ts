import { mkdir, writeFile } from 'node:fs/promises';
import type { Bench, Command, Comparison, Contender, Job } from '../measure/index.ts';
import { run, slipway } from '../places/index.ts';

/** The layer was made by a build on this machine: nobody has compressed it yet, and the registry is empty. */
export const pushCold: Job = {
  name: 'push-cold',
  title: 'a built layer of 180 MB compressed and pushed',
  async make(bench) {
    const { place, clear, ours, theirs } = await built(bench);
    // Compressed layers are remembered: a store that has not pushed yet is made anew for each round.
    const prepare = async () => {
      await place.clear('store');
      await run(ours.build, place.store());
      await clear();
    };
    return pushes({ ours: { ...ours, prepare }, theirs: { ...theirs, prepare: clear } }, bench);
  },
};

/** All that is pushed is there. */
export const pushAgain: Job = {
  name: 'push-again',
  title: 'an image that is there pushed again',
  async make(bench) {
    const { place, ours, theirs } = await built(bench);
    await run(ours.build, place.store());
    return { ...pushes({ ours, theirs }, bench), rounds: 10 };
  },
};

interface Side {
  readonly name: string;
  readonly prepare?: () => Promise<void>;
}

async function built({ place, inputs, peers }: Bench) {
  const { host, clear } = await inputs.registry(place);
  const context = place.path('context');
  await mkdir(context);
  await run(['cp', '--reflink=auto', (await inputs.debian()).tar, `${context}/base.tar`]);
  await writeFile(`${context}/Dockerfile`, 'FROM scratch\nADD base.tar /\n');
  const [ourName, theirName] = [`${host}/ours:latest`, `${host}/theirs:latest`];
  const peer = peers.buildah('build', '-q', '-t', theirName, context);
  if (peer !== undefined) await run(peer, peers.env);
  return {
    place,
    clear,
    ours: { name: ourName, build: slipway('build', '-q', '-t', ourName, context) },
    theirs: { name: theirName },
  };
}

interface Sides {
  readonly ours: Side;
  readonly theirs: Side;
}

function pushes({ ours, theirs }: Sides, { place, peers }: Bench): Comparison {
  const contenders: Contender[] = [
    withPrepare(
      { name: 'slipway push', role: 'ours', command: slipway('push', '-q', ours.name), env: place.store() },
      ours,
    ),
  ];
  const command: Command | undefined = peers.buildah('push', '-q', '--tls-verify=false', theirs.name);
  if (command !== undefined)
    contenders.push(withPrepare({ name: 'buildah push', role: 'peer', command, env: peers.env }, theirs));
  return { contenders };
}

function withPrepare(contender: Contender, { prepare }: Side): Contender {
  return prepare === undefined ? contender : { ...contender, prepare };
}
