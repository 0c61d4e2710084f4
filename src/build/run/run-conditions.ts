import {
  chooseIsolation,
  type ContainerNetwork,
  type Isolation,
  type IsolationReport,
  type NetworkPool,
} from '../../container/index.ts';
import type { RunStep } from '../../dockerfile/index.ts';
import type { Privileges } from '../../system/index.ts';
import { networkOf } from './confinement.ts';
import type { OnBuildEvent } from '../events.ts';
import type { BuildRequest } from '../request.ts';

export interface RunConditionsOptions {
  readonly request: Pick<BuildRequest, 'isolation' | 'network'>;
  readonly privileges: Privileges;
  readonly networks: NetworkPool;
  readonly onEvent: OnBuildEvent;
}

/** What one step runs in; the network goes back to the pool with its disposal. */
export interface RunPlace extends Disposable {
  readonly isolation: Isolation;
  readonly network: ContainerNetwork;
}

/** How the RUN steps of a build are kept apart from the machine: found out and told when the first of them is done. */
export class RunConditions {
  readonly #options: RunConditionsOptions;
  #stated: Promise<IsolationReport> | undefined;
  /** What was told of the network. */
  #network = '';

  constructor(options: RunConditionsOptions) {
    this.#options = options;
  }

  /** The step will soon be done. */
  expect(step: RunStep): void {
    this.#options.networks.warm(networkOf(step, this.#options.request));
  }

  /** No step will be done any more. */
  leave(): void {
    this.#options.networks.retire();
  }

  async enter(step: RunStep, signal?: AbortSignal): Promise<RunPlace> {
    const mode = networkOf(step, this.#options.request);
    const lease = await this.#options.networks.acquire(mode, { lastUse: step.security === 'insecure', signal });
    try {
      const { isolation } = await (this.#stated ??= this.#state());
      if (mode === 'default') await this.#tellChange();
      return { isolation, network: lease.network, [Symbol.dispose]: () => lease[Symbol.dispose]() };
    } catch (error) {
      lease[Symbol.dispose]();
      throw error;
    }
  }

  /** Where the first step needed no network, what was told was not tried yet. */
  async #tellChange(): Promise<void> {
    const { description } = await this.#options.networks.report();
    if (description === this.#network) return;
    this.#network = description;
    this.#options.onEvent({ type: 'note', level: 'warning', message: `network: ${description}` });
  }

  async #state(): Promise<IsolationReport> {
    const { request, privileges, networks, onEvent } = this.#options;
    const report = chooseIsolation(request.isolation, privileges);
    this.#network = request.network === 'default' ? (await networks.report()).description : request.network;
    const message = `RUN steps are isolated by ${report.description}, network: ${this.#network}`;
    onEvent({ type: 'note', level: 'info', message });
    for (const missing of report.missing) onEvent({ type: 'note', level: 'warning', message: missing });
    return report;
  }
}
