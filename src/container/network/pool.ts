import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Privileges } from '../../system/index.ts';
import type { ContainerNetwork } from '../contract.ts';
import { chooseNetwork, host } from './choose.ts';
import type { NetworkBuilder, NetworkReport, PreparedNetwork } from './contract.ts';
import { networkMark } from './reap.ts';

/** What a build asks for: `default` is a private network where there can be one. */
export type NetworkMode = 'default' | 'host' | 'none';

export interface NetworkPoolOptions {
  readonly privileges: Privileges;
  /** A folder whose mark leads `reapNetwork` to what is left, if this process is killed. */
  readonly folder: () => Promise<string>;
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
  readonly #free: PreparedNetwork[] = [];
  #opening: Promise<Opened> | undefined;
  #first: Promise<void> | undefined;
  #making: Promise<unknown> = Promise.resolve();
  #failure: NetworkReport | undefined;

  constructor(options: NetworkPoolOptions) {
    this.#options = options;
  }

  /** What `default` means here; after a failure to make such a network, that. */
  async report(): Promise<NetworkReport> {
    return this.#failure ?? (await this.#open()).report;
  }

  /** Begins to make a network that a step will soon ask for. */
  warm(mode: NetworkMode): void {
    if (mode !== 'default') return;
    this.#first ??= this.#make().then(
      (made) => void (made !== undefined && this.#free.push(made)),
      () => undefined, // told when it is asked for
    );
  }

  /** Never fails for want of a private network: then it is the machine's, and `report` tells why. */
  async acquire(mode: NetworkMode, { lastUse = false }: AcquireOptions = {}): Promise<NetworkLease> {
    if (mode !== 'default') return { network: mode, [Symbol.dispose]: () => {} };
    this.warm(mode);
    await this.#first;
    const prepared = this.#free.pop() ?? (await this.#make());
    if (prepared === undefined) return { network: 'host', [Symbol.dispose]: () => {} };
    return {
      network: prepared.network,
      [Symbol.dispose]: () => void (lastUse || this.#free.push(prepared)),
    };
  }

  /** One after another: each has the next number. undefined: there can be none. */
  async #make(): Promise<PreparedNetwork | undefined> {
    const turn = this.#making.then(async () => {
      if (this.#failure !== undefined) return undefined;
      try {
        const { builder } = await this.#open();
        return await builder?.make(this.#options.signal);
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        this.#failure = host(messageOf(error));
        return undefined;
      }
    });
    this.#making = turn.catch(() => undefined);
    return turn;
  }

  #open(): Promise<Opened> {
    this.#opening ??= openBuilder(this.#options);
    return this.#opening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#first;
    await this.#making;
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.builder?.[Symbol.asyncDispose]();
  }
}

interface Opened {
  readonly report: NetworkReport;
  readonly builder: NetworkBuilder | undefined;
}

async function openBuilder({ privileges, folder, signal }: NetworkPoolOptions): Promise<Opened> {
  const report = await chooseNetwork(privileges);
  if (report.kind === 'host') return { report, builder: undefined };
  if (report.means !== 'netavark') {
    const { UserModeNetwork } = await import('./user-mode.ts');
    return { report, builder: new UserModeNetwork(report.means, report.file) };
  }
  const { NetavarkNetwork } = await import('./netavark.ts');
  const builder = await NetavarkNetwork.open(report.file, signal);
  writeFileSync(join(await folder(), networkMark), builder.name);
  return { report, builder };
}
