import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { NameService } from './confinement.ts';
import type { ContainerNetwork, ContainerSpec } from './contract.ts';

/** Generated files that are mounted over the container's own; the targets may be symbolic links there. */
export interface NetworkFile {
  readonly source: string;
  readonly target: '/etc/hosts' | '/etc/resolv.conf';
}

const noNames: NameService = { hosts: [], servers: [], search: [], options: [] };

/** Writes hosts and resolv.conf into the bundle. */
export function writeNetworkFiles(
  bundle: string,
  { hostname, network, confinement }: Pick<ContainerSpec, 'hostname' | 'network' | 'confinement'>,
): readonly NetworkFile[] {
  const names = confinement?.names ?? noNames;
  const machine = network === 'none' ? '' : machineResolver();
  return [
    {
      source: write(
        bundle,
        'hosts',
        hostsFile(hostname, names, () => gatewayOf(network)),
      ),
      target: '/etc/hosts',
    },
    { source: write(bundle, 'resolv.conf', resolverFile(machine, network, names)), target: '/etc/resolv.conf' },
  ];
}

/** As BuildKit writes it, then the lines of `--add-host`. */
export function hostsFile(hostname: string, names: NameService, gateway: () => string): string {
  const lines = [
    `127.0.0.1\tlocalhost ${hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...names.hosts.map(({ name, address }) => `${address === 'host-gateway' ? gateway() : address}\t${name}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * The machine's resolver as it is where the network is the machine's and nothing else was asked for: there a resolver on loopback
 * can be reached. In a network of its own the servers are those that the network gives.
 */
export function resolverFile(machine: string, network: ContainerNetwork, names: NameService): string {
  const isAltered = names.servers.length + names.search.length + names.options.length > 0;
  if (!isAltered && (network === 'host' || network === 'none')) return machine;
  const own = parseResolver(machine);
  const given = typeof network === 'object' ? network.nameservers : own.servers;
  const servers = names.servers.length > 0 ? names.servers : given;
  const search = names.search.length > 0 ? names.search.filter((name) => name !== '.') : own.search;
  const options = names.options.length > 0 ? names.options : own.options;
  const lines = [
    ...servers.map((address) => `nameserver ${address}`),
    ...(search.length === 0 ? [] : [`search ${search.join(' ')}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export interface Resolver {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** resolv.conf(5); of several `search` lines the last counts, options add up. */
export function parseResolver(text: string): Resolver {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const all = (word: string): string[][] => lines.filter(([first]) => first === word).map(([, ...rest]) => rest);
  return {
    servers: all('nameserver').flatMap(([address]) => address ?? []),
    search: [...all('domain'), ...all('search')].at(-1) ?? [],
    options: all('options').flat(),
  };
}

/** The machine's resolver file; empty where there is none. */
export function machineResolver(file = '/etc/resolv.conf'): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function gatewayOf(network: ContainerNetwork): string {
  if (typeof network === 'object') return network.hostGateway;
  return network === 'host' ? '127.0.0.1' : outwardAddress();
}

/** An address of the machine that others see; loopback where it has none. */
export function outwardAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}

/** Readable by every user inside, whatever our umask. */
function write(bundle: string, name: string, content: string): string {
  const file = join(bundle, name);
  writeFileSync(file, content);
  chmodSync(file, 0o644);
  return file;
}
