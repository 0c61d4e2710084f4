import { accessSync, constants, readFileSync } from 'node:fs';
import { findExecutable, type Privileges, run } from '../../system/index.ts';
import { capabilityNumber } from '../capabilities.ts';
import type { NetworkReport } from './contract.ts';

/** Where distributions keep helpers that are not for people. */
const helperFolders = ['/usr/local/libexec/podman', '/usr/local/lib/podman', '/usr/libexec/podman', '/usr/lib/podman'];

export function findNetavark(): string | undefined {
  const places = ['netavark', ...helperFolders.map((folder) => `${folder}/netavark`)];
  return places.map((place) => findExecutable(place)).find((file) => file !== undefined);
}

/**
 * How steps get a network of their own here: by netavark for root, by a user-mode network for others, else none and they use the
 * machine's. Looks at files and asks one tool for its version; nothing is tried.
 */
export async function chooseNetwork(privileges: Privileges): Promise<NetworkReport> {
  if (privileges.kind === 'root') return chooseForRoot();
  if (privileges.kind === 'none') return host('an ordinary user has no rights to make another');
  if (!mayOpenTunnels()) return host('/dev/net/tun cannot be opened');
  for (const means of ['pasta', 'slirp4netns'] as const) {
    const file = findExecutable(means);
    if (file !== undefined) return found(means, file);
  }
  return host('neither pasta nor slirp4netns is installed');
}

async function chooseForRoot(): Promise<NetworkReport> {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const mayAdminister = ((effective >> BigInt(capabilityNumber('CAP_NET_ADMIN'))) & 1n) === 1n;
  if (!mayAdminister) return host('this process lacks CAP_NET_ADMIN');
  const file = findNetavark();
  if (file === undefined) return host('netavark is not installed');
  return found('netavark', file);
}

async function found(means: 'netavark' | 'pasta' | 'slirp4netns', file: string): Promise<NetworkReport> {
  const result = await run(file, ['--version'], { expectedCodes: [0, 1] }).catch(() => undefined);
  if (result === undefined || result.code !== 0) return host(`${file} does not tell its version`);
  const [, version] = result.stdout.toString().split('\n')[0]?.split(/\s+/) ?? [];
  return {
    kind: 'private',
    means,
    file,
    description: `private (${[means, ...(version === undefined ? [] : [version])].join(' ')})`,
  };
}

export function host(reason: string): NetworkReport {
  return { kind: 'host', description: `host (${reason})` };
}

function mayOpenTunnels(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
