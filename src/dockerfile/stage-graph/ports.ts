import { isIP } from 'node:net';
import { DockerfileError } from '../error.ts';
import { quote } from '../quote.ts';

/**
 * One word of EXPOSE: `[[ip:]host:]port[-port][/protocol]`.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function parsePorts(word: string): PortSpec {
  const parts = word.split(':');
  const [container = '', host = ''] = parts.toReversed();
  const address = parts.slice(0, -2).join(':');
  const slash = container.indexOf('/');
  const range = slash < 0 ? container : container.slice(0, slash);
  const written = (slash < 0 ? '' : container.slice(slash + 1)) || 'tcp';
  const protocol = written.toLowerCase();
  if (range === '') throw invalid(`invalid port: ${quote(word)}: no port specified`);
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw invalid(`invalid port: ${quote(word)}: invalid proto: ${written}`);
  }
  const bare = /^\[(.*)\]$/.exec(address)?.[1] ?? address;
  if (address !== '' && isIP(bare) === 0) throw invalid(`invalid IP address: ${address}`);
  const ports = parseRange(range);
  if (ports === undefined) throw invalid(`invalid containerPort: ${range}`);
  if (host !== '') checkHost(host, range, ports);
  return {
    ports: Array.from({ length: ports.end - ports.start + 1 }, (_, index) => `${ports.start + index}/${protocol}`),
    protocol: written,
    published: address !== '' || host !== '',
  };
}

/** What a word of EXPOSE says. */
export interface PortSpec {
  /** `port/protocol` for each port. */
  readonly ports: readonly string[];
  /** As written. */
  readonly protocol: string;
  /** Whether it has an address or a port of the host, which mean nothing here. */
  readonly published: boolean;
}

interface PortRange {
  readonly start: number;
  readonly end: number;
}

function checkHost(host: string, range: string, ports: PortRange): void {
  const hostPorts = parseRange(host);
  if (hostPorts === undefined) throw invalid(`invalid hostPort: ${host}`);
  const size = ports.end - ports.start;
  if (size !== 0 && size !== hostPorts.end - hostPorts.start) {
    throw invalid(`invalid ranges specified for container and host Ports: ${range} and ${host}`);
  }
}

function parseRange(text: string): PortRange | undefined {
  const [first = '', last = first, ...more] = text.split('-');
  const [start, end] = [parsePort(first), parsePort(last)];
  if (start === undefined || end === undefined || more.length > 0 || end < start) return undefined;
  return { start, end };
}

function parsePort(text: string): number | undefined {
  return /^\+?\d{1,9}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

function invalid(message: string): DockerfileError {
  return new DockerfileError('INVALID_ARGUMENT', message);
}
