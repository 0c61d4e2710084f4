import { type Builder, contender } from '../builders/builder.ts';
import { type BuilderName, openSite, type Site } from '../builders/site.ts';
import type { Bar, Bench, Comparison, Contender, Job } from '../measure/index.ts';
import { run } from '../places/index.ts';
import { bigCopy } from '../workloads/big-copy.ts';
import { ciNode } from '../workloads/ci-node.ts';
import { packages } from '../workloads/packages.ts';
import { diamond, manySteps } from '../workloads/steps.ts';
import type { Workload } from '../workloads/workload.ts';

type MakeWorkload = (folder: string, bench: Bench) => Promise<Workload>;

/** What state a build finds. */
type Phase =
  /** Nothing is there: the base is pulled from the registry and unpacked. The result is pushed. */
  | 'fresh'
  /** The base is there, no step is remembered. The result is pushed. */
  | 'uncached'
  /** Nothing has changed since the last build. */
  | 'unchanged'
  /** One source file has changed since the last build. */
  | 'changed'
  /** The same, and the result is pushed. */
  | 'changedAndPushed';

interface BuildJob {
  readonly name: string;
  readonly title: string;
  readonly workload: MakeWorkload;
  readonly phase: Phase;
  readonly builders?: readonly BuilderName[];
  readonly bars?: readonly Bar[];
  readonly rounds?: number;
}

const node: MakeWorkload = (folder, { inputs }) => ciNode(folder, inputs);
const best = { best: 'peer' } as const;
const names = {
  ciNode: 'a Node application',
  bigCopy: 'COPY of 20,000 files, 380 MB',
  packages: 'dpkg -i of 12 packages',
};

/** The workloads of builders, beside the newest that there are. */
export const builds: readonly Job[] = [
  buildJob({
    name: 'build-node-fresh',
    title: `${names.ciNode}: build on a fresh machine, and push`,
    workload: node,
    phase: 'fresh',
    bars: [
      { to: 'buildkit', figure: 'wall', atMost: 0.6 },
      { to: best, figure: 'wall', atMost: 0.6 },
    ],
  }),
  buildJob({
    name: 'build-node-uncached',
    title: `${names.ciNode}: build with the base there and nothing cached, and push`,
    workload: node,
    phase: 'uncached',
  }),
  buildJob({
    name: 'build-node-unchanged',
    title: `${names.ciNode}: build of which nothing has changed`,
    workload: node,
    phase: 'unchanged',
    rounds: 10,
  }),
  buildJob({
    name: 'build-node-changed',
    title: `${names.ciNode}: build after one source file changed`,
    workload: node,
    phase: 'changed',
    // The row is what the build takes beyond the step itself.
    bars: [{ of: 'slipway, one', figure: 'wall', atMost: 200 }],
  }),
  buildJob({
    name: 'build-node-changed-push',
    title: `${names.ciNode}: build after one source file changed, and push`,
    workload: node,
    phase: 'changedAndPushed',
  }),
  buildJob({
    name: 'build-copy-fresh',
    title: `${names.bigCopy}: build on a fresh machine, and push`,
    workload: bigCopy,
    phase: 'fresh',
    bars: [{ to: best, figure: 'wall', atMost: 0.5 }],
    rounds: 3,
  }),
  buildJob({
    name: 'build-copy-unchanged',
    title: `${names.bigCopy}: build of which nothing has changed`,
    workload: bigCopy,
    phase: 'unchanged',
  }),
  buildJob({
    name: 'build-copy-changed',
    title: `${names.bigCopy}: build after one file changed, and push`,
    workload: bigCopy,
    phase: 'changedAndPushed',
    rounds: 3,
  }),
  buildJob({
    name: 'build-packages',
    title: `${names.packages}: build with the base there and nothing cached, and push`,
    workload: packages,
    phase: 'uncached',
    bars: [{ to: 'buildah', figure: 'wall', atMost: 0.6 }],
    rounds: 3,
  }),
  buildJob({
    name: 'build-diamond',
    title: 'four stages of two seconds beside each other, joined',
    workload: diamond,
    phase: 'uncached',
    rounds: 3,
  }),
  buildJob({
    name: 'build-steps-unchanged',
    title: 'forty RUN steps of which nothing has changed',
    workload: (folder) => manySteps(folder, 40),
    phase: 'unchanged',
    bars: [
      { figure: 'wall', atMost: 250 },
      { to: 'buildah', figure: 'wall', atMost: 1 / 3 },
      { to: best, figure: 'wall', atMost: 1 },
    ],
    rounds: 10,
  }),
];

function buildJob({ name, title, workload, phase, builders, ...rest }: BuildJob): Job {
  return {
    name,
    title,
    onlyByName: true,
    make: async (bench): Promise<Comparison> => {
      const site = await openSite(bench, builders);
      const made = await workload(bench.place.path('context'), bench);
      const contenders: Contender[] = [];
      for (const builder of site.builders) contenders.push(await phases[phase](builder, made, site));
      return { contenders, ...rest };
    },
  };
}

type MakeContender = (builder: Builder, workload: Workload, site: Site) => Promise<Contender>;

const phases: Readonly<Record<Phase, MakeContender>> = {
  fresh: async (builder, { context }, { base, image, emptyRegistry }) => ({
    ...contender(builder, builder.build({ context, base, name: image(builder.name), push: true })),
    prepare: async () => {
      await emptyRegistry();
      await builder.forget();
    },
  }),
  uncached: async (builder, { context }, { base, image, emptyRegistry }) => {
    const request = { context, base, name: image(builder.name) };
    await run(builder.build(request), builder.env);
    const command = builder.build({ ...request, push: true, noCache: true });
    return { ...contender(builder, command), prepare: emptyRegistry };
  },
  unchanged: async (builder, { context }, { base, image }) => {
    const command = builder.build({ context, base, name: image(builder.name) });
    await run(command, builder.env);
    return contender(builder, command);
  },
  changed: async (builder, { context, change, changedStep }, { base, image }) => {
    const command = builder.build({ context, base, name: image(builder.name) });
    await run(command, builder.env);
    const measured = { ...contender(builder, command), prepare: change };
    if (changedStep === undefined) return measured;
    // Two parts of which one is known: what is left is the builder's.
    return { ...measured, each: { times: 2, fixed: { times: 1, command: await changedStep() } } };
  },
  changedAndPushed: async (builder, { context, change }, { base, image }) => {
    const command = builder.build({ context, base, name: image(builder.name), push: true });
    await run(command, builder.env);
    return { ...contender(builder, command), prepare: change };
  },
};
