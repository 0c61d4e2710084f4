/** An IPv4 network, its address as a number. */
export interface Subnet {
  readonly address: number;
  readonly bits: number;
}

/** Where networks of builds are taken from, in this order: parts of the private ranges that others take last. */
const ranges: readonly Subnet[] = [
  { address: parseAddress('10.98.0.0'), bits: 16 },
  { address: parseAddress('172.29.0.0'), bits: 16 },
  { address: parseAddress('192.168.192.0'), bits: 18 },
];

/** Room for 61 steps at once beside the gateway. */
const bits = 26;
export const lastHost: number = 2 ** (32 - bits) - 2;

/**
 * Networks for one build, best first: none that is part of one that the machine knows a way to, or has one in it. The place to
 * begin differs from build to build, so that they seldom try for the same.
 * @param random from 0 up to 1
 */
export function* freeSubnets(taken: readonly Subnet[], random: number): Generator<Subnet> {
  for (const range of ranges) {
    const count = 2 ** (bits - range.bits);
    const first = Math.floor(random * count);
    for (let step = 0; step < count; step++) {
      const subnet = { address: range.address + ((first + step) % count) * 2 ** (32 - bits), bits };
      if (!taken.some((other) => overlaps(subnet, other))) yield subnet;
    }
  }
}

function overlaps(a: Subnet, b: Subnet): boolean {
  const size = 2 ** (32 - Math.min(a.bits, b.bits));
  return Math.floor(a.address / size) === Math.floor(b.address / size);
}

/** The networks of /proc/net/route but for the default one; its numbers are those of a little-endian machine. */
export function parseRoutes(text: string): readonly Subnet[] {
  const routes = text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  return routes.flatMap(([, destination = '', , , , , , mask = '']) => {
    if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask)) return [];
    const size = popCount(Number.parseInt(mask, 16));
    return size === 0 ? [] : [{ address: swapped(Number.parseInt(destination, 16)), bits: size }];
  });
}

function swapped(value: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.readUInt32BE();
}

function popCount(value: number): number {
  return value.toString(2).replaceAll('0', '').length;
}

/** The address of a host in a subnet; 1 is the gateway. */
export function hostOf(subnet: Subnet, number: number): string {
  return formatAddress(subnet.address + number);
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.address)}/${subnet.bits}`;
}

function formatAddress(address: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return [...bytes].join('.');
}

function parseAddress(text: string): number {
  return addressBytes(text).readUInt32BE();
}

/** In the order of the network. */
export function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

/** A bridge is called after its network: so that one name is taken with the other, and what a bridge was for is told by itself. */
export function bridgeName(subnet: Subnet): string {
  return `slw${subnet.address.toString(16).padStart(8, '0')}`;
}

/** The network of one of our bridges; undefined for other interfaces. */
export function subnetOfBridge(name: string): Subnet | undefined {
  return /^slw[0-9a-f]{8}$/.test(name) ? { address: Number.parseInt(name.slice(3), 16), bits } : undefined;
}
