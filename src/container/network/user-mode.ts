import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inNetworkNamespace, makeNetworkNamespace, minimalEnvironment, withParentDeath } from '../../system/index.ts';
import type { PrivateNetwork } from '../contract.ts';
import { ContainerError } from '../error.ts';
import { outwardAddress } from '../network-files.ts';
import type { NetworkBuilder, PreparedNetwork } from './contract.ts';

type Means = 'pasta' | 'slirp4netns';

/** Until its interface must be there. */
const patienceMs = 10_000;

/**
 * Networks of an ordinary user: a process for each namespace translates its packets into sockets of the user. It ends with us,
 * and the machine's own loopback cannot be reached through it.
 */
export class UserModeNetwork implements NetworkBuilder {
  readonly name = undefined;
  readonly #means: Means;
  readonly #file: string;
  readonly #made: { readonly fd: number; readonly child: ChildProcess }[] = [];

  constructor(means: Means, file: string) {
    this.#means = means;
    this.#file = file;
  }

  async make(signal?: AbortSignal): Promise<PreparedNetwork> {
    const fd = makeNetworkNamespace();
    const namespace = `/proc/${process.pid}/fd/${fd}`;
    const [file = '', ...args] = withParentDeath([this.#file, ...argumentsOf(this.#means, namespace)]);
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env: minimalEnvironment(), detached: true });
    this.#made.push({ fd, child });
    await ready(this.#means, { child, fd, signal });
    return { fd, network: { namespace, ...addresses[this.#means]() } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { fd, child } of this.#made) {
      child.kill('SIGKILL');
      closeSync(fd);
    }
  }
}

const dnsForPasta = '169.254.1.1';

const addresses: Readonly<Record<Means, () => Pick<PrivateNetwork, 'nameservers' | 'hostGateway'>>> = {
  slirp4netns: () => ({ nameservers: ['10.0.2.3'], hostGateway: outwardAddress() }),
  pasta: () => ({ nameservers: [dnsForPasta], hostGateway: outwardAddress() }),
};

function argumentsOf(means: Means, namespace: string): readonly string[] {
  if (means === 'slirp4netns') {
    return ['--configure', '--mtu=65520', '--disable-host-loopback', '--netns-type=path', namespace, 'tap0'];
  }
  const noPorts = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'];
  return [
    '--foreground',
    '--quiet',
    '--config-net',
    '--no-map-gw',
    '--dns-forward',
    dnsForPasta,
    ...noPorts,
    '--netns',
    namespace,
  ];
}

interface Starting {
  readonly child: ChildProcess;
  readonly fd: number;
  readonly signal: AbortSignal | undefined;
}

/** There is a way out when the namespace has a default route. */
async function ready(means: Means, { child, fd, signal }: Starting): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, by) => (failure = `it ended with ${by ?? code}`));
  for (let waited = 0; waited < patienceMs; waited += 5) {
    if (hasDefaultRoute(fd)) {
      child.unref();
      (child.stderr as { unref?: () => void } | null)?.unref?.();
      return;
    }
    if (failure !== undefined) break;
    await delay(5, undefined, { signal });
  }
  const details = said.trimEnd().split('\n').slice(-3);
  throw new ContainerError('NETWORK_FAILED', `${means} makes no network: ${failure ?? 'it takes too long'}`, {
    details,
  });
}

function hasDefaultRoute(fd: number): boolean {
  const routes = inNetworkNamespace(fd, () => readFileSync('/proc/thread-self/net/route', 'latin1'));
  return routes.split('\n').some((line) => line.split('\t')[1] === '00000000');
}
