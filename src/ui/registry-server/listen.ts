import { integer, string } from '@oclif/core/flags';
import { UsageError } from '../../errors.ts';
import { parseDuration } from '../time.ts';

/** Where a server listens. */
export const listenFlags = {
  addr: string({
    description: 'Address to listen on; port 0 takes a free one',
    default: '127.0.0.1:5000',
    helpValue: 'HOST:PORT',
  }),
  host: string({ description: 'Host of the address, instead of that of --addr', helpValue: 'HOST' }),
  port: integer({ description: 'Port of the address, instead of that of --addr', min: 0, max: 65_535, helpValue: 'N' }),
  'drain-timeout': string({
    description: 'Time that requests in work have to end when it is stopped; 5s unless given',
    helpValue: 'DURATION',
  }),
} as const;

export interface ListenValues {
  readonly addr: string;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly 'drain-timeout'?: string | undefined;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface ListenSettings extends ListenAddress {
  readonly drainTimeout: number | undefined;
}

/** @throws UsageError */
export function listenSettings({ addr, host, port, 'drain-timeout': drain }: ListenValues): ListenSettings {
  const address = parseAddress(addr);
  const drainTimeout = drain === undefined ? undefined : parseDuration(drain);
  return { host: host ?? address.host, port: port ?? address.port, drainTimeout };
}

function parseAddress(address: string): ListenAddress {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]]*)):(?<port>\d{1,5})$/.exec(address);
  const port = Number(match?.groups?.['port']);
  if (match === null || port > 65_535) {
    throw new UsageError(`invalid address: '${address}'`, {
      hint: 'Addresses look like 127.0.0.1:5000, [::1]:5000 or :5000.',
    });
  }
  // As servers have it, `:5000` is every address of the machine.
  return { host: match.groups?.['v6'] ?? (match.groups?.['host'] || '0.0.0.0'), port };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
