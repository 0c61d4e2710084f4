import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { minimalEnvironment, WitnessedNamespace, withParentDeath } from '../../system/index.ts';
import type { PrivateNetwork } from '../contract.ts';
import { ContainerError } from '../error.ts';
import { outwardAddress } from '../network-files.ts';
import type { NetworkBuilder } from './contract.ts';

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
  readonly #made: { readonly namespace: WitnessedNamespace; readonly child: ChildProcess }[] = [];

  readonly #reachesMachine: boolean;

  /** @param options.reachesMachine whether steps were promised an address of the machine (`host-gateway`) */
  constructor(means: Means, file: string, options: { readonly reachesMachine: boolean }) {
    this.#means = means;
    this.#file = file;
    this.#reachesMachine = options.reachesMachine;
  }

  async make(signal?: AbortSignal): Promise<PrivateNetwork> {
    const namespace = await WitnessedNamespace.open();
    const [file = '', ...args] = withParentDeath([this.#file, ...argumentsOf(this.#means, this.#reachesMachine)]);
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe', namespace.fd],
      env: minimalEnvironment(),
      detached: true,
    });
    this.#made.push({ namespace, child });
    await ready(this.#means, { child, namespace, signal });
    const gateway = defaultGateway(namespace.read('route'));
    namespace.settle();
    const isMapped = this.#means === 'pasta' && this.#reachesMachine;
    const hostGateway = isMapped && gateway !== undefined ? gateway : outwardAddress();
    return { namespace: namespace.path, nameservers: [nameservers[this.#means]], hostGateway };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { namespace, child } of this.#made) {
      child.kill('SIGKILL');
      namespace[Symbol.dispose]();
    }
  }
}

/** Addresses by which each asks the machine's own resolver. */
const nameservers: Readonly<Record<Means, string>> = { slirp4netns: '10.0.2.3', pasta: '169.254.1.1' };

/**
 * The namespace as the program itself has it open: pasta gives up its rights before it opens it, and could not look into another
 * process any more.
 */
const inherited = '/proc/self/fd/3';

/** A step under pasta has the machine's address; the gateway's is then the machine, its loopback too, if it must be reached. */
function argumentsOf(means: Means, reachesMachine: boolean): readonly string[] {
  if (means === 'slirp4netns') {
    return ['--configure', '--mtu=65520', '--disable-host-loopback', '--netns-type=path', inherited, 'eth0'];
  }
  const noPorts = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'];
  return [
    '--foreground',
    '--quiet',
    '--config-net',
    ...(reachesMachine ? [] : ['--no-map-gw']),
    '--dns-forward',
    nameservers.pasta,
    ...noPorts,
    '--netns-only',
    '--netns',
    inherited,
  ];
}

interface Starting {
  readonly child: ChildProcess;
  readonly namespace: WitnessedNamespace;
  readonly signal: AbortSignal | undefined;
}

/** There is a way out when the namespace has a default route. */
async function ready(means: Means, { child, namespace, signal }: Starting): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, by) => (failure = `it ended with ${by ?? code}`));
  for (let waited = 0; waited < patienceMs; waited += 5) {
    if (defaultGateway(namespace.read('route')) !== undefined) {
      child.unref();
      (child.stderr as { unref?: () => void } | null)?.unref?.();
      return;
    }
    if (failure !== undefined) break;
    await delay(5, undefined, { signal });
  }
  const lines = said.split('\n').filter((line) => line !== '' && !line.includes('syslog'));
  throw new ContainerError(
    'NETWORK_FAILED',
    `${means} makes no network: ${lines.at(-1) ?? failure ?? 'it takes too long'}`,
  );
}

/** By /proc/net/route, whose numbers are a little-endian machine's. */
function defaultGateway(routes: string): string | undefined {
  const fields = routes.split('\n').map((line) => line.split('\t'));
  const gateway = fields.find(([, destination]) => destination === '00000000')?.[2];
  return gateway === undefined ? undefined : [...Buffer.from(gateway, 'hex')].reverse().join('.');
}
