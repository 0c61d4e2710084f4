import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ContainerMount, ContainerNetwork, Isolation } from '../container/index.ts';
import { encodeText, type RunMount, type RunStep } from '../dockerfile/index.ts';
import { digestOf, hexOf } from '../oci/index.ts';
import { confinementOf } from './confinement.ts';
import { BuildError } from './error.ts';
import type { OnBuildEvent } from './events.ts';
import { credentialsOf } from './mounts/credentials.ts';
import type { RunJob, RunResult, TreeMount, Workplace } from './jobs.ts';
import type { BuildRequest } from './request.ts';
import { containerIdOf } from './lane.ts';
import { treeOf, type TreeOffer } from './trees.ts';

export interface RunSurroundings {
  readonly offer: TreeOffer;
  readonly isolation: Isolation;
  readonly request: Pick<BuildRequest, 'confinement' | 'mounts'>;
  readonly network: ContainerNetwork;
  /** SOURCE_DATE_EPOCH of a reproducible build. */
  readonly epoch?: number | undefined;
  readonly onEvent: OnBuildEvent;
}

export interface PreparedRun {
  readonly job: RunJob;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
  /** The error for a step that ended so. */
  readonly failure: (end: RunResult) => BuildError;
}

/** Turns a RUN step into the workshop's job. */
export async function prepareRun(step: RunStep, place: Workplace, around: RunSurroundings): Promise<PreparedRun> {
  const job: RunJob = {
    kind: 'run',
    place,
    containerId: containerIdOf(place.scratch, around.offer.lane.id),
    isolation: around.isolation,
    args: step.args,
    env: [...epochEnv(step, around.epoch), ...step.env, ...step.proxyEnv],
    cwd: step.cwd,
    user: step.user,
    network: around.network,
    confinement: confinementOf(step, around.request.confinement),
    mounts: [...(await pipeMounts(step, place)), ...(await plainMounts(step, around))],
    treeMounts: await treeMounts(step, around),
    credentials: await credentialsOf(step, {
      secrets: around.offer.secrets,
      request: around.request.mounts,
      environment: process.env,
    }),
  };
  // A chunk may end in the middle of a character.
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  return {
    job,
    onOutput: (stream, chunk) => {
      const data = decoders[stream].decode(chunk, { stream: true });
      if (data !== '') around.onEvent({ type: 'step-log', id: step.id, stream, data });
    },
    failure: (end) => failureOf(step, end, around.request.confinement?.limits.memory),
  };
}

/** Programs that know it take it for the time; what the Dockerfile says of it goes before. */
function epochEnv({ env }: RunStep, epoch: number | undefined): readonly string[] {
  const isSet = env.some((variable) => variable.startsWith('SOURCE_DATE_EPOCH='));
  return epoch === undefined || isSet ? [] : [`SOURCE_DATE_EPOCH=${epoch}`];
}

/** Heredocs with an interpreter of their own are files under /dev/pipes during the step. */
async function pipeMounts(step: RunStep, place: Workplace): Promise<ContainerMount[]> {
  if (step.pipes.length === 0) return [];
  const folder = join(place.scratch, 'pipes');
  await mkdir(folder);
  for (const { name, content } of step.pipes) await writeFile(join(folder, name), encodeText(content));
  // Any user of the image may read them, whatever our umask.
  for (const path of [folder, ...step.pipes.map(({ name }) => join(folder, name))]) await chmod(path, 0o755);
  return [{ kind: 'bind', source: folder, target: '/dev/pipes', readOnly: true }];
}

async function plainMounts(step: RunStep, around: RunSurroundings): Promise<ContainerMount[]> {
  const mounts: ContainerMount[] = [];
  for (const mount of step.mounts) {
    if (mount.type === 'tmpfs')
      mounts.push({ kind: 'tmpfs', target: mount.target, ...(mount.size === undefined ? {} : { size: mount.size }) });
    else if (mount.type === 'cache') mounts.push(await cacheMount(mount, around));
  }
  return mounts;
}

/** A folder of the store that outlives the step; its name is a digest, so that no id can lead elsewhere. */
async function cacheMount(mount: RunMount & { type: 'cache' }, around: RunSurroundings): Promise<ContainerMount> {
  if (mount.from !== undefined)
    throw new BuildError('UNSUPPORTED', `RUN --mount=type=cache,from=… is not supported yet (id ${mount.id})`);
  const { root, privileges } = around.offer.store;
  const source = join(root, 'cache-mounts', hexOf(digestOf(mount.id)));
  await mkdir(dirname(source), { recursive: true });
  // Owner and mode are those of the mount that made it, as in BuildKit.
  const made = await mkdir(source, { recursive: true });
  if (made !== undefined) {
    const { uid = 0, gid = 0, mode = 0o755 } = mount;
    if (privileges.kind !== 'single') await chown(source, uid, gid);
    await chmod(source, mode);
  }
  return { kind: 'bind', source, target: mount.target, readOnly: mount.readOnly };
}

async function treeMounts(step: RunStep, around: RunSurroundings): Promise<TreeMount[]> {
  const mounts: TreeMount[] = [];
  for (const mount of step.mounts) {
    if (mount.type !== 'bind') continue;
    mounts.push({
      tree: await treeOf(mount.from, around.offer).open(),
      source: mount.source,
      target: mount.target,
      readWrite: mount.readWrite,
    });
  }
  return mounts;
}

/** What the step wrote was told as events; the solver adds where in the Dockerfile it stands. */
function failureOf(step: RunStep, { exitCode, outOfMemory }: RunResult, memory: number | undefined): BuildError {
  const command = step.args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg)).join(' ');
  const shown = command.length > 400 ? `${command.slice(0, 400)}…` : command;
  const message = `process ${JSON.stringify(shown)} did not complete successfully: exit code: ${exitCode}`;
  if (outOfMemory !== true) return new BuildError('STEP_FAILED', message, { exitCode });
  return new BuildError(
    'STEP_FAILED',
    `${message}: it ran out of its memory limit${memory === undefined ? '' : ` of ${formatMemory(memory)}`}`,
    {
      exitCode,
      hint: 'give it more with --memory',
    },
  );
}

function formatMemory(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20} MiB` : `${bytes} bytes`;
}
