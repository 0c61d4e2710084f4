import { isIP } from 'node:net';
import { RegistryError } from './error.ts';

/** Docker Hub has one name for people, one for its API and one in credential files. */
export const hub = {
  name: 'docker.io',
  api: 'registry-1.docker.io',
  credentialKey: 'https://index.docker.io/v1/',
  aliases: new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']),
} as const;

/** The name we use for a registry host: Docker Hub's aliases become `docker.io`, letters become small. */
export function canonicalHost(host: string): string {
  const small = host.toLowerCase();
  return hub.aliases.has(small) ? hub.name : small;
}

/** The host in what people give as a server: `https://registry.example.com/v2/` too. */
export function serverHost(server: string): string {
  return canonicalHost(server.replace(/^https?:\/\//i, '').split('/', 1)[0] ?? '');
}

/**
 * Where the registry called `host` answers. Plain http only on loopback or when asked for: a failed TLS handshake must
 * never lead to http, or whoever breaks the handshake gets the password.
 * @throws RegistryError INVALID_NAME
 */
export function baseUrlOf(host: string, scheme?: 'http' | 'https'): URL {
  const name = canonicalHost(host);
  if (!hostPattern.test(name)) {
    throw new RegistryError('INVALID_NAME', `not a registry host: ${JSON.stringify(host.slice(0, 160))}`);
  }
  const address = name === hub.name ? hub.api : name;
  const url = URL.parse(`https://${address}/`);
  if (url === null) throw new RegistryError('INVALID_NAME', `not a registry host: ${JSON.stringify(host)}`);
  return new URL(`${scheme ?? (isLoopback(url.hostname) ? 'http' : 'https')}://${address}/`);
}

const hostPattern = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;

/** True for this machine's own addresses; `hostname` as in `URL.hostname`, brackets allowed. */
export function isLoopback(hostname: string): boolean {
  const bare = bareHost(hostname);
  if (bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

/** True for IP literals that only mean something inside some network: private, link-local, loopback, unspecified. */
export function isPrivateAddress(hostname: string): boolean {
  const bare = bareHost(hostname);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(bare);
  if (mapped) return isPrivateV4(fromWords(mapped[1] ?? '', mapped[2] ?? ''));
  if (isIP(bare) === 4) return isPrivateV4(bare);
  return isIP(bare) === 6 && /^(?:::1?$|f[cd]|fe[89ab])/.test(bare);
}

function isPrivateV4(address: string): boolean {
  const [a = 0, b = 0] = address.split('.').map(Number);
  if (a === 0 || a === 10 || a === 127) return true;
  if (a === 100) return b >= 64 && b < 128;
  if (a === 172) return b >= 16 && b < 32;
  return (a === 192 && b === 168) || (a === 169 && b === 254);
}

function fromWords(high: string, low: string): string {
  const [h, l] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [h >> 8, h & 255, l >> 8, l & 255].join('.');
}

function bareHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}
