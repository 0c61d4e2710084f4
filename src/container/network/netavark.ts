import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { findExecutable, NetworkNamespace, run } from '../../system/index.ts';
import type { PrivateNetwork } from '../contract.ts';
import { ContainerError } from '../error.ts';
import { machineResolver, parseResolver } from '../network-files.ts';
import type { NetworkBuilder } from './contract.ts';
import { MachineLock } from './machine-lock.ts';
import { RouteSocket } from './route-socket.ts';
import {
  addressBytes,
  bridgeName,
  formatSubnet,
  freeSubnets,
  hostOf,
  lastHost,
  parseRoutes,
  type Subnet,
  subnetOfBridge,
} from './subnet.ts';
import { layWire, pullWire } from './wire.ts';

/** What netavark reads on its standard input. */
interface NetavarkRequest {
  readonly container_id: string;
  readonly container_name: string;
  readonly networks: Readonly<
    Record<string, { readonly static_ips: readonly string[]; readonly interface_name: string }>
  >;
  readonly network_info: Readonly<Record<string, object>>;
}

/**
 * A bridge of one build, with a network of its own behind address translation, and in it one namespace for each step that runs
 * at the same time. netavark makes the bridge, its rules and the first of them; others are plugged into it, which takes a tenth of
 * the time. Everything about it follows from its subnet, which one process of the machine holds by a lock: so whoever can take the
 * lock of a bridge may clear it away.
 */
export class NetavarkNetwork implements NetworkBuilder {
  readonly #file: string;
  readonly #subnet: Subnet;
  readonly #lock: MachineLock;
  /** The first one brings bridge and rules, and goes last. */
  #first: NetavarkCall | undefined;
  readonly #others: Plugged[] = [];
  /** Of the machine's network. */
  readonly #machine = new RouteSocket();
  #hosts = 1; // the gateway

  private constructor(file: string, subnet: Subnet, lock: MachineLock) {
    this.#file = file;
    this.#subnet = subnet;
    this.#lock = lock;
  }

  /** Takes a subnet; makes nothing yet but clears away what others left. */
  static async open(file: string, signal?: AbortSignal): Promise<NetavarkNetwork> {
    await reapBridges(file);
    const taken = parseRoutes(readFileSync('/proc/net/route', 'latin1'));
    for (const subnet of freeSubnets(taken, Math.random())) {
      signal?.throwIfAborted();
      const lock = await MachineLock.take(bridgeName(subnet));
      if (lock !== undefined) return new NetavarkNetwork(file, subnet, lock);
    }
    throw new ContainerError('NETWORK_FAILED', 'no private network is free on this machine');
  }

  get name(): string {
    return bridgeName(this.#subnet);
  }

  /** The first one is to be waited for before others are made. */
  async make(signal?: AbortSignal): Promise<PrivateNetwork> {
    if (this.#hosts >= lastHost) {
      throw new ContainerError(
        'NETWORK_FAILED',
        'the private network has no address left: too many steps were insecure',
      );
    }
    const host = ++this.#hosts;
    const namespace = this.#first === undefined ? await this.#makeFirst(host, signal) : await this.#makeOther(host);
    return { namespace: namespace.path, nameservers: reachableServers(), hostGateway: hostOf(this.#subnet, 1) };
  }

  async #makeFirst(host: number, signal: AbortSignal | undefined): Promise<NetworkNamespace> {
    const namespace = NetworkNamespace.make();
    const call = { namespace, request: requestFor(this.#subnet, hostOf(this.#subnet, host)) };
    this.#first = call;
    await alone(() => netavark(this.#file, 'setup', call), signal);
    return namespace;
  }

  async #makeOther(host: number): Promise<NetworkNamespace> {
    const name = `${this.name}.${host}`;
    const namespace = await layWire(this.#machine, {
      bridge: this.name,
      name,
      address: addressBytes(hostOf(this.#subnet, host)),
      bits: this.#subnet.bits,
      gateway: addressBytes(hostOf(this.#subnet, 1)),
    });
    this.#others.push({ namespace, name });
    return namespace;
  }

  /** The last teardown takes bridge and rules along. */
  async [Symbol.asyncDispose](): Promise<void> {
    let isWhole = true;
    using _machine = this.#machine;
    for (const { namespace, name } of this.#others) {
      await pullWire(this.#machine, name).catch(() => (isWhole = false));
      namespace[Symbol.dispose]();
    }
    const first = this.#first;
    if (first !== undefined) {
      // A step with all rights may have broken its own.
      await alone(() => netavark(this.#file, 'teardown', first)).catch(() => (isWhole = false));
      first.namespace[Symbol.dispose]();
    }
    await this.#lock[Symbol.asyncDispose]();
    // What is left even then is cleared away by the next build.
    if (!isWhole) await reapBridge(this.#file, this.#subnet).catch(() => undefined);
  }
}

/** Clears away bridges, with their rules, of processes that died. */
async function reapBridges(file: string): Promise<void> {
  for (const name of readdirSync('/sys/class/net')) {
    const subnet = subnetOfBridge(name);
    if (subnet !== undefined) await reapBridge(file, subnet);
  }
}

/** Clears away one; nothing where its build still lives. */
export async function reapBridge(file: string, subnet: Subnet): Promise<void> {
  await using lock = await MachineLock.take(bridgeName(subnet));
  if (lock === undefined) return;
  // netavark takes down what is whole, and what it sets up becomes whole.
  using namespace = NetworkNamespace.make();
  const call = { namespace, request: requestFor(subnet, hostOf(subnet, 2)) };
  await alone(async () => {
    await netavark(file, 'setup', call);
    await netavark(file, 'teardown', call);
  });
}

function requestFor(subnet: Subnet, address: string): NetavarkRequest {
  const bridge = bridgeName(subnet);
  const info = {
    name: bridge,
    id: bridge.slice(3).repeat(8),
    driver: 'bridge',
    network_interface: bridge,
    subnets: [{ subnet: formatSubnet(subnet), gateway: hostOf(subnet, 1) }],
    ipv6_enabled: false,
    internal: false,
    dns_enabled: false,
    ipam_options: { driver: 'host-local' },
    options: { isolate: 'true' }, // from the networks of other builds
  };
  const id = randomBytes(16).toString('hex');
  return {
    container_id: id,
    container_name: id,
    networks: { [bridge]: { static_ips: [address], interface_name: 'eth0' } },
    network_info: { [bridge]: info },
  };
}

interface NetavarkCall {
  readonly namespace: NetworkNamespace;
  readonly request: NetavarkRequest;
}

interface Plugged {
  readonly namespace: NetworkNamespace;
  /** Of its wire's end at the bridge. */
  readonly name: string;
}

/** Milliseconds to wait for the calls of others. */
const patience = 30_000;

/** One at a time on this machine: what makes or removes a bridge makes or looks for the same chains of the firewall. */
async function alone<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  await using _ = await MachineLock.wait('netavark', patience, signal);
  return await work();
}

async function netavark(file: string, verb: 'setup' | 'teardown', call: NetavarkCall): Promise<void> {
  // In a session of its own: Ctrl-C must not leave it half done. But it dies with us: whoever clears up after a killed build
  // would otherwise take down what this one still goes on setting up.
  const setsid = findExecutable('setsid');
  const setpriv = findExecutable('setpriv');
  const [program, ...before] = [
    ...(setsid === undefined ? [] : [setsid]),
    ...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL']),
    file,
  ];
  const result = await run(program, [...before, '--config', '/run/slipway/netavark', verb, call.namespace.path], {
    input: JSON.stringify(call.request),
    expectedCodes: [0, 1],
  });
  if (result.code === 0) return;
  const reason =
    /"error":\s*"((?:[^"\\]|\\.)*)"/.exec(result.stdout.toString())?.[1] ?? result.stderr.toString().trim();
  throw new ContainerError(
    'NETWORK_FAILED',
    `netavark cannot ${verb === 'setup' ? 'set up' : 'take down'} a network: ${reason}`,
  );
}

/** docker's choice where the machine names none that can be reached from elsewhere than itself. */
const publicServers = ['8.8.8.8', '8.8.4.4'];

/** A server on the machine's loopback is another one's in here: then those that it asks itself, where systemd says so. */
export function reachableServers(
  files: readonly string[] = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'],
): readonly string[] {
  for (const file of files) {
    const { servers } = parseResolver(machineResolver(file));
    const reachable = servers.filter((address) => !/^(127\.|::1$)/.test(address) && !address.includes(':'));
    if (reachable.length > 0) return reachable;
  }
  return publicServers;
}
