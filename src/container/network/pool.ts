import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { Privileges } from '../../system/index.ts';
import type { ContainerNetwork, PrivateNetwork } from '../contract.ts';
import { ContainerError } from '../error.ts';
import { chooseNetwork, findNetworks, host, type NetworkMeans, reportOf } from './choose.ts';
import type { NetworkBuilder, NetworkReport } from './contract.ts';
import { networkMark } from './reap.ts';

/** What a build asks for: `default` is a private network where there can be one. */
export type NetworkMode = 'default' | 'host' | 'none';

export interface NetworkPoolOptions {
  readonly privileges: Privileges;
  /** A folder whose mark leads `reapNetwork` to what is left, if this process is killed. */
  readonly folder: () => Promise<string>;
  /** How many steps run at once. */
  readonly most?: number | undefined;
  /** Whether `host-gateway` was asked for. */
  readonly reachesMachine?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A subnet has room for some more: those of insecure steps are not used again. */
const mostNetworks = 32;

/** A network that a step has for itself until it is given back. */
export interface NetworkLease extends Disposable {
  readonly network: ContainerNetwork;
}

export interface AcquireOptions {
  /** Ends the waiting for one. */
  readonly signal?: AbortSignal | undefined;
  /** The step may change the network's settings: nobody is given it afterwards. */
  readonly lastUse?: boolean | undefined;
}

/**
 * The networks of a build's steps. Setting one up takes some 40 ms, too long for each step: so there are as many as steps run at
 * once, made when they are first needed, used again and again, and taken down with the pool.
 */
export class NetworkPool implements AsyncDisposable {
  readonly #options: NetworkPoolOptions;
  /** Networks that nobody has, made or in the making. */
  readonly #free: Promise<PrivateNetwork>[] = [];
  /** Steps that wait for one to be given back. */
  readonly #waiting: ((network: Promise<PrivateNetwork>) => void)[] = [];
  readonly #making = new Set<Promise<unknown>>();
  #made = 0;
  /** Steps that have one or soon will. */
  #wanted = 0;
  #opening: Promise<Opened> | undefined;
  /** Networks that are being taken down while the build goes on. */
  #retiring: Promise<unknown> | undefined;

  constructor(options: NetworkPoolOptions) {
    this.#options = options;
  }

  /** What `default` means here; once one was asked for: what was to be had. */
  async report(): Promise<NetworkReport> {
    return this.#opening === undefined ? chooseNetwork(this.#options.privileges) : (await this.#opening).report;
  }

  /** A step will soon ask for one: as many are made as there will be such steps at once. */
  warm(mode: NetworkMode): void {
    if (mode !== 'default') return;
    this.#wanted++;
    const opening = this.#opened();
    opening.then(
      ({ builder }) => this.#opening === opening && this.#fill(builder),
      () => undefined, // told to whoever asks for one
    );
  }

  /**
   * Where none can be made it is the machine's, and `report` tells why. Waits where as many are in use as there may be.
   * @throws ContainerError NETWORK_FAILED where one could be made, but another one cannot
   */
  async acquire(mode: NetworkMode, { lastUse = false, signal }: AcquireOptions = {}): Promise<NetworkLease> {
    if (mode !== 'default') return { network: mode, [Symbol.dispose]: () => {} };
    const { builder } = await this.#opened();
    if (builder === undefined) return { network: 'host', [Symbol.dispose]: () => {} };
    const network = await this.#take(builder, signal);
    return { network, [Symbol.dispose]: () => this.#giveBack(network, { builder, lastUse }) };
  }

  #take(builder: NetworkBuilder, signal: AbortSignal | undefined): Promise<PrivateNetwork> {
    signal?.throwIfAborted();
    const free = this.#free.shift();
    if (free !== undefined) return free;
    if (this.#made < this.#most) return this.#another(builder);
    return this.#waitInLine(signal);
  }

  #waitInLine(signal: AbortSignal | undefined): Promise<PrivateNetwork> {
    const { promise, resolve, reject } = Promise.withResolvers<PrivateNetwork>();
    const enter = (network: Promise<PrivateNetwork>): void => {
      signal?.removeEventListener('abort', leave);
      resolve(network);
    };
    const leave = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(enter), 1);
      reject(signal?.reason as Error);
    };
    this.#waiting.push(enter);
    signal?.addEventListener('abort', leave, { once: true });
    return promise;
  }

  #giveBack(
    network: PrivateNetwork,
    { builder, lastUse }: { readonly builder: NetworkBuilder; readonly lastUse: boolean },
  ): void {
    this.#wanted = Math.max(0, this.#wanted - 1);
    if (lastUse) this.#made--;
    const next = this.#waiting.shift();
    if (next !== undefined) next(lastUse ? this.#another(builder) : Promise.resolve(network));
    else if (!lastUse) this.#free.push(Promise.resolve(network));
  }

  get #most(): number {
    return Math.min(this.#options.most ?? mostNetworks, mostNetworks);
  }

  #opened(): Promise<Opened> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    opening.then(
      ({ first }) => {
        if (first === undefined || this.#opening !== opening) return;
        this.#free.push(Promise.resolve(first));
        this.#made = 1;
      },
      () => undefined, // told to whoever asks for one
    );
    return opening;
  }

  #fill(builder: NetworkBuilder | undefined): void {
    if (builder === undefined) return;
    while (this.#made < Math.min(this.#wanted, this.#most)) this.#free.push(this.#another(builder));
  }

  #another(builder: NetworkBuilder): Promise<PrivateNetwork> {
    this.#made++;
    const making = builder.make(this.#options.signal);
    this.#making.add(making);
    making.catch(() => this.#notMade(builder)); // told to the step that gets it
    return making;
  }

  /** Who gets it has nothing to give back, so the next in line must not wait for that. */
  #notMade(builder: NetworkBuilder): void {
    this.#made = Math.max(0, this.#made - 1); // some may have been retired meanwhile
    this.#waiting.shift()?.(this.#another(builder));
  }

  /** The first way in which a network can really be made. */
  async #open(): Promise<Opened> {
    const { privileges, signal } = this.#options;
    const { means, lack } = findNetworks(privileges);
    const failures: string[] = [];
    for (const each of means) {
      let builder: NetworkBuilder | undefined;
      const reporting = reportOf(each); // meanwhile
      try {
        builder = await openBuilder(each, this.#options);
        const first = await builder.make(signal);
        const report = await reporting;
        if (report.kind === 'host')
          throw new ContainerError('NETWORK_FAILED', `${each.file} does not tell its version`);
        return { report, builder, first };
      } catch (error) {
        await builder?.[Symbol.asyncDispose]();
        signal?.throwIfAborted();
        failures.push(messageOf(error));
      }
    }
    return { report: host(failures.length === 0 ? lack : failures.join('; ')), builder: undefined };
  }

  /**
   * All were given back, and nobody is expected to ask for one: they are taken down, which takes as long as setting them up, while
   * the build goes on. Who asks all the same gets new ones.
   */
  retire(): void {
    const opening = this.#opening;
    if (opening === undefined) return;
    this.#opening = undefined;
    this.#free.length = 0;
    [this.#made, this.#wanted] = [0, 0];
    const retiring = Promise.all([this.#retiring, this.#takeDown(opening)]);
    retiring.catch(() => undefined); // told at the end
    this.#retiring = retiring;
  }

  async #takeDown(opening: Promise<Opened>): Promise<void> {
    const opened = await opening.catch(() => undefined);
    await Promise.allSettled(this.#making);
    await opened?.builder?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.retire();
    await this.#retiring;
  }
}

interface Opened {
  readonly report: NetworkReport;
  /** Absent where steps use the machine's network. */
  readonly builder: NetworkBuilder | undefined;
  /** Made to see whether it can be done. */
  readonly first?: PrivateNetwork;
}

async function openBuilder(
  { means, file }: NetworkMeans,
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
