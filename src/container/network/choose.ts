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
 * How steps get a network of their own here, best first: by netavark for root, by a user-mode network for others; else none, and
 * they use the machine's. Looks at files and asks tools for their versions; nothing is tried.
 */
export async function chooseNetworks(privileges: Privileges): Promise<readonly [NetworkReport, ...NetworkReport[]]> {
  if (privileges.kind === 'root') return [await chooseForRoot()];
  if (privileges.kind === 'none') return [host('an ordinary user has no rights to make another')];
  if (!mayOpenTunnels()) return [host('/dev/net/tun cannot be opened')];
  const found: NetworkReport[] = [];
  for (const means of ['pasta', 'slirp4netns'] as const) {
    const file = findExecutable(means);
    if (file !== undefined) found.push(await reportOf(means, file));
  }
  const [first = host('neither pasta nor slirp4netns is installed'), ...others] = found;
  return [first, ...others];
}

/** The best of them. */
export async function chooseNetwork(privileges: Privileges): Promise<NetworkReport> {
  return (await chooseNetworks(privileges))[0];
}

async function chooseForRoot(): Promise<NetworkReport> {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const mayAdminister = ((effective >> BigInt(capabilityNumber('CAP_NET_ADMIN'))) & 1n) === 1n;
  if (!mayAdminister) return host('this process lacks CAP_NET_ADMIN');
  const file = findNetavark();
  return file === undefined ? host('netavark is not installed') : reportOf('netavark', file);
}

async function reportOf(means: 'netavark' | 'pasta' | 'slirp4netns', file: string): Promise<NetworkReport> {
  const result = await run(file, ['--version'], { expectedCodes: [0, 1] }).catch(() => undefined);
  if (result === undefined || result.code !== 0) return host(`${file} does not tell its version`);
  const [line = ''] = result.stdout.toString().split('\n');
  const version = /\s(\d\S*)/.exec(line)?.[1];
  const named = version === undefined ? means : `${means} ${version}`;
  return { kind: 'private', means, file, description: `private (${named})` };
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
