import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Privileges } from '../../system/index.ts';
import type { ContainerNetwork, PrivateNetwork } from '../contract.ts';
import { chooseNetwork, chooseNetworks, host } from './choose.ts';
import type { NetworkBuilder, NetworkReport } from './contract.ts';
import { networkMark } from './reap.ts';

/** What a build asks for: `default` is a private network where there can be one. */
export type NetworkMode = 'default' | 'host' | 'none';

export interface NetworkPoolOptions {
  readonly privileges: Privileges;
  /** A folder whose mark leads `reapNetwork` to what is left, if this process is killed. */
  readonly folder: () => Promise<string>;
  /** Whether `host-gateway` was asked for. */
  readonly reachesMachine?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A network that a step has for itself until it is given back. */
export interface NetworkLease extends Disposable {
  readonly network: ContainerNetwork;
}

export interface AcquireOptions {
  /** The step may change the network's settings: nobody is given it afterwards. */
  readonly lastUse?: boolean | undefined;
}

/**
 * The networks of a build's steps. Setting one up takes some 40 ms, too long for each step: so there are as many as steps run at
 * once, made when they are first needed, used again and again, and taken down with the pool.
 */
export class NetworkPool implements AsyncDisposable {
  readonly #options: NetworkPoolOptions;
  readonly #free: PrivateNetwork[] = [];
  #opening: Promise<Opened> | undefined;
  #making: Promise<unknown> = Promise.resolve();

  constructor(options: NetworkPoolOptions) {
    this.#options = options;
  }

  /** What `default` means here; once one was asked for: what was to be had. */
  async report(): Promise<NetworkReport> {
    return this.#opening === undefined ? chooseNetwork(this.#options.privileges) : (await this.#opening).report;
  }

  /** Begins to make a network that a step will soon ask for. */
  warm(mode: NetworkMode): void {
    if (mode !== 'default') return;
    this.#opening ??= this.#open();
    this.#opening.catch(() => undefined); // told to whoever asks for one
  }

  /** Never fails for want of a private network: then it is the machine's, and `report` tells why. */
  async acquire(mode: NetworkMode, { lastUse = false }: AcquireOptions = {}): Promise<NetworkLease> {
    if (mode !== 'default') return { network: mode, [Symbol.dispose]: () => {} };
    const { builder } = await (this.#opening ??= this.#open());
    if (builder === undefined) return { network: 'host', [Symbol.dispose]: () => {} };
    const network = this.#free.pop() ?? (await this.#another(builder));
    return { network, [Symbol.dispose]: () => void (lastUse || this.#free.push(network)) };
  }

  /** One after another: each has the next number. */
  #another(builder: NetworkBuilder): Promise<PrivateNetwork> {
    const turn = this.#making.then(() => builder.make(this.#options.signal));
    this.#making = turn.catch(() => undefined);
    return turn;
  }

  /** The first way in which a network can really be made. */
  async #open(): Promise<Opened> {
    const { privileges, signal } = this.#options;
    const reports = await chooseNetworks(privileges);
    const failures: string[] = [];
    for (const report of reports) {
      if (report.kind === 'host') continue;
      let builder: NetworkBuilder | undefined;
      try {
        builder = await openBuilder(report, this.#options);
        this.#free.push(await builder.make(signal));
        return { report, builder };
      } catch (error) {
        await builder?.[Symbol.asyncDispose]();
        signal?.throwIfAborted();
        failures.push(messageOf(error));
      }
    }
    return { report: failures.length === 0 ? reports[0] : host(failures.join('; ')), builder: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await this.#making;
    await opened?.builder?.[Symbol.asyncDispose]();
  }
}

interface Opened {
  readonly report: NetworkReport;
  /** Absent where steps use the machine's network. */
  readonly builder: NetworkBuilder | undefined;
}

async function openBuilder(
  { means, file }: NetworkReport & { kind: 'private' },
  { folder, reachesMachine = false, signal }: NetworkPoolOptions,
): Promise<NetworkBuilder> {
  if (means !== 'netavark') {
    const { UserModeNetwork } = await import('./user-mode.ts');
    return new UserModeNetwork(means, file, { reachesMachine });
  }
  const { NetavarkNetwork } = await import('./netavark.ts');
  const builder = await NetavarkNetwork.open(file, signal);
  writeFileSync(join(await folder(), networkMark), builder.name);
  return builder;
}
