import { isSlipwayError, type SlipwayError } from '../../errors.ts';
import type { RunStep, StepId } from '../../dockerfile/index.ts';
import { type Digest, hostPlatform, shortId } from '../../oci/index.ts';
import type { ActiveSnapshot, Store } from '../../store/index.ts';
import { networkOf } from '../run/confinement.ts';
import type { OnBuildEvent } from '../events.ts';
import type { Workplace } from '../workshop/jobs.ts';
import type { Lane } from '../workshop/lane.ts';
import type { BuildRequest } from '../request.ts';
import type { PreparedRun } from '../run/run-step.ts';
import type { RunConditions, RunPlace } from '../run/run-conditions.ts';
import type { Workshop } from '../workshop/workshop.ts';
import type { OnShell } from './contract.ts';
import { keepStep } from './kept-steps.ts';
import { interactionOf, shellOf, terminalEnv } from './shell.ts';

export interface FailedStepsOptions {
  readonly request: Pick<BuildRequest, 'onError' | 'network'>;
  readonly store: Store;
  readonly lane: Lane;
  readonly workshop: Workshop;
  readonly conditions: RunConditions;
  readonly onEvent: OnBuildEvent;
  readonly onShell?: OnShell | undefined;
  readonly signal: AbortSignal | undefined;
  readonly layersOf: (step: StepId) => readonly Digest[];
  /** The job of a step anew: its mounts are opened again. */
  readonly prepare: (step: RunStep, place: Workplace, around: RunPlace) => Promise<PreparedRun>;
}

/** A command of the Dockerfile failed, in distinction from the machine around it. */
export function isStepFailure(error: unknown): error is SlipwayError {
  return isSlipwayError(error) && error.code === 'STEP_FAILED';
}

/** Adds to a failure what was made of it. */
export function hinted(error: unknown, hint: string | undefined): unknown {
  return hint === undefined || !isSlipwayError(error) ? error : Object.assign(error, { hint });
}

interface Held {
  readonly step: RunStep;
  readonly active: ActiveSnapshot;
  readonly exitCode: number;
}

/**
 * The states of RUN steps that failed, where the user wants more of them than their end. They are held until nothing else runs
 * any more: then a shell has the terminal, and the machine, for itself.
 */
export class FailedSteps implements AsyncDisposable {
  readonly #options: FailedStepsOptions;
  readonly #held: Held[] = [];

  constructor(options: FailedStepsOptions) {
    this.#options = options;
  }

  /** Takes over the state of a step that failed; false: nobody wants it. */
  hold(step: RunStep, active: ActiveSnapshot, exitCode: number): boolean {
    if ((this.#options.request.onError ?? 'fail') === 'fail') return false;
    this.#held.push({ step, active, exitCode });
    return true;
  }

  /** Does with them what was asked for; returns what to tell whoever reads of the failure. */
  async attend(): Promise<string | undefined> {
    const [first] = this.#held;
    if (first === undefined) return undefined;
    if (this.#options.request.onError === 'shell') return this.#open(first);
    const kept: string[] = [];
    for (const held of this.#held) kept.push(await this.#keep(held));
    const commands = kept.map((id) => `\`slipway debug shell ${id}\``);
    return `the state of the step is kept: enter it with ${commands.join(', ')}`;
  }

  async #keep({ step, active, exitCode }: Held): Promise<string> {
    const { store, request, layersOf } = this.#options;
    const below = step.input === undefined ? [] : layersOf(step.input);
    const network = networkOf(step, request);
    const { id } = await keepStep(store, { step, active, exitCode, below, network, platform: hostPlatform() });
    return shortId(id);
  }

  async #open({ step, active }: Held): Promise<string | undefined> {
    const { store, lane, workshop, conditions, onShell = (open) => open(), signal, prepare } = this.#options;
    const interaction = interactionOf('--on-error=shell');
    await store.snapshots.reopen(active);
    using around = await conditions.enter(step);
    await using prepared = await prepare(step, { active, scratch: await lane.scratch() }, around);
    const { job } = prepared;
    const env = [...terminalEnv(interaction), ...job.env];
    let exitCode = 0;
    await onShell(async () => {
      ({ exitCode } = await workshop.run({ ...job, args: shellOf(step), env, interaction }, { signal }));
    });
    return exitCode === 127 || exitCode === 126 ? 'no shell could be opened: is there one in the image?' : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is done to one that was kept meanwhile. What cannot be cleared away now is the next command's.
    for (const { active } of this.#held) await this.#options.store.snapshots.discard(active).catch(() => undefined);
    this.#held.length = 0;
  }
}
