import type { ContainerNetwork, Isolation } from '../../container/index.ts';
import type { RunStep } from '../../dockerfile/index.ts';
import { formatBinarySize } from '../../oci/index.ts';
import { confinementOf } from './confinement.ts';
import { BuildError } from '../error.ts';
import type { OnBuildEvent } from '../events.ts';
import { credentialsOf } from '../mounts/credentials.ts';
import { openCaches } from './cache-mounts.ts';
import { memoryMounts, pipeMounts, treeMounts } from './plain-mounts.ts';
import type { RunJob, RunResult, Workplace } from '../workshop/jobs.ts';
import type { BuildRequest } from '../request.ts';
import { containerIdOf } from '../workshop/lane.ts';
import type { TreeOffer } from '../contexts/trees.ts';
import type { Workshop } from '../workshop/workshop.ts';

export interface RunSurroundings {
  readonly offer: TreeOffer;
  readonly isolation: Isolation;
  readonly request: Pick<BuildRequest, 'confinement' | 'mounts'>;
  readonly network: ContainerNetwork;
  /** SOURCE_DATE_EPOCH of a reproducible build. */
  readonly epoch?: number | undefined;
  readonly workshop: Workshop;
  /** Content digests of what mounts show or begin with, by target. */
  readonly digests: Readonly<Record<string, string>>;
  readonly onEvent: OnBuildEvent;
  readonly signal: AbortSignal;
}

/** It holds cache mounts: dispose of it when the step is over. */
export interface PreparedRun extends AsyncDisposable {
  readonly job: RunJob;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
  /** The error for a step that ended so. */
  readonly failure: (end: RunResult) => BuildError;
}

/** Turns a RUN step into the workshop's job. */
export async function prepareRun(step: RunStep, place: Workplace, around: RunSurroundings): Promise<PreparedRun> {
  const plain = [...(await pipeMounts(step, place)), ...memoryMounts(step)];
  const trees = await treeMounts(step, around.offer);
  const { secrets } = around.offer;
  const request = around.request.mounts;
  const credentials = await credentialsOf(step, { secrets, request, environment: process.env });
  const caches = await openCaches(step, around); // last: others may be waiting for them
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
    mounts: [...plain, ...caches.mounts],
    treeMounts: trees,
    credentials,
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
    [Symbol.asyncDispose]: () => caches[Symbol.asyncDispose](),
  };
}

/** Programs that know it take it for the time; what the Dockerfile says of it goes before. */
function epochEnv({ env }: RunStep, epoch: number | undefined): readonly string[] {
  const isSet = env.some((variable) => variable.startsWith('SOURCE_DATE_EPOCH='));
  return epoch === undefined || isSet ? [] : [`SOURCE_DATE_EPOCH=${epoch}`];
}

/** What the step wrote was told as events; the solver adds where in the Dockerfile it stands. */
function failureOf(step: RunStep, { exitCode, outOfMemory }: RunResult, memory: number | undefined): BuildError {
  const command = step.args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg)).join(' ');
  const shown = command.length > 400 ? `${command.slice(0, 400)}…` : command;
  const message = `process ${JSON.stringify(shown)} did not complete successfully: exit code: ${exitCode}`;
  if (outOfMemory !== true) return new BuildError('STEP_FAILED', message, { exitCode });
  return new BuildError(
    'STEP_FAILED',
    `${message}: it ran out of its memory limit${memory === undefined ? '' : ` of ${formatBinarySize(memory)}`}`,
    {
      exitCode,
      hint: 'give it more with --memory',
    },
  );
}
