import { writeFileSync } from 'node:fs';
import { NetworkNamespace } from '../../system/index.ts';
import { attribute, RouteError, routeMessage, RouteSocket, text, word } from './route-socket.ts';

/** Types of attributes: IFLA_*, VETH_INFO_PEER, IFA_*, RTA_* of linux/if_link.h, veth.h, if_addr.h and rtnetlink.h. */
const link = { name: 3, master: 10, info: 18, namespace: 28 } as const;
const info = { kind: 1, data: 2, peer: 1 } as const;
const address = { address: 1, local: 2, broadcast: 4 } as const;
const route = { device: 4, gateway: 5 } as const;
const internet = 2;
const isUp = 1;
const loopback = 1;

/** What the end in the namespace is called. */
const inside = 'eth0';

export interface WireOptions {
  /** The bridge that the wire is plugged into; it has its firewall rules. */
  readonly bridge: string;
  /** Of the end at the bridge, in the machine's network. */
  readonly name: string;
  readonly address: Buffer;
  /** Of the address's network. */
  readonly bits: number;
  readonly gateway: Buffer;
}

/**
 * Makes a network namespace and plugs it into a bridge by a pair of interfaces, with an address and a way out. Where the bridge
 * stands this takes some milliseconds and no program.
 * @param machine of the machine's network
 * @throws ContainerError NETWORK_FAILED, SystemError
 */
export async function layWire(machine: RouteSocket, options: WireOptions): Promise<NetworkNamespace> {
  let socket: RouteSocket | undefined;
  const namespace = NetworkNamespace.make(() => {
    refuseAdvertisements();
    socket = new RouteSocket();
  });
  try {
    using there = socket;
    if (there !== undefined) await connect(namespace, { machine, there }, options);
    return namespace;
  } catch (error) {
    namespace[Symbol.dispose](); // and with it the wire
    throw error;
  }
}

/** Pulls the wire out, both ends; one that is not there any more is no error. */
export async function pullWire(machine: RouteSocket, name: string): Promise<void> {
  const body = Buffer.concat([linkHeader({}), attribute(link.name, text(name))]);
  try {
    await machine.ask(routeMessage.deleteLink, `remove ${name}`, body);
  } catch (error) {
    if (!(error instanceof RouteError && error.isMissing)) throw error;
  }
}

interface Sockets {
  readonly machine: RouteSocket;
  readonly there: RouteSocket;
}

async function connect(namespace: NetworkNamespace, { machine, there }: Sockets, options: WireOptions): Promise<void> {
  const bridge = await indexOf(machine, options.bridge);
  const peer = attribute(
    info.peer,
    linkHeader({}),
    attribute(link.name, text(inside)),
    attribute(link.namespace, word(namespace.fd)),
  );
  const kind = attribute(link.info, attribute(info.kind, text('veth')), attribute(info.data, peer));
  const pair = [
    linkHeader({ up: true }),
    attribute(link.name, text(options.name)),
    attribute(link.master, word(bridge)),
  ];
  await machine.ask(routeMessage.newLink, `make ${options.name}`, Buffer.concat([...pair, kind]));
  const index = await indexOf(there, inside);
  for (const each of [loopback, index])
    await there.ask(routeMessage.setLink, `start ${inside}`, linkHeader({ index: each, up: true }));
  await there.ask(routeMessage.newAddress, `give ${inside} an address`, addressOf(index, options));
  await there.ask(routeMessage.newRoute, `make a route through ${inside}`, routeThrough(index, options));
}

async function indexOf(socket: RouteSocket, name: string): Promise<number> {
  const body = Buffer.concat([linkHeader({}), attribute(link.name, text(name))]);
  const answer = await socket.ask(routeMessage.getLink, `find ${name}`, body);
  return answer.readUInt32LE(4);
}

/** `struct ifinfomsg` */
function linkHeader({ index = 0, up = false }: { readonly index?: number; readonly up?: boolean }): Buffer {
  const flags = up ? isUp : 0;
  return Buffer.concat([Buffer.alloc(4), word(index), word(flags), word(flags)]);
}

/** `struct ifaddrmsg` with its attributes */
function addressOf(index: number, options: WireOptions): Buffer {
  const head = Buffer.from([internet, options.bits, 0, 0]);
  const own = [attribute(address.local, options.address), attribute(address.address, options.address)];
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((options.address.readUInt32BE() | (2 ** (32 - options.bits) - 1)) >>> 0);
  return Buffer.concat([head, word(index), ...own, attribute(address.broadcast, broadcast)]);
}

/** `struct rtmsg` of a default route, in the main table, as an administrator would set it. */
function routeThrough(index: number, { gateway }: WireOptions): Buffer {
  const [table, setAtBoot, everywhere, unicast] = [254, 3, 0, 1];
  const head = Buffer.from([internet, 0, 0, 0, table, setAtBoot, everywhere, unicast]);
  return Buffer.concat([head, word(0), attribute(route.gateway, gateway), attribute(route.device, word(index))]);
}

/** There is no router of IPv6 in a build's network: who says so is another step. */
function refuseAdvertisements(): void {
  for (const setting of ['accept_ra', 'autoconf']) {
    try {
      writeFileSync(`/proc/sys/net/ipv6/conf/default/${setting}`, '0');
    } catch {
      // without IPv6, or not to be written to
    }
  }
}
