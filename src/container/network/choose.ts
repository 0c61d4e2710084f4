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

/** A program that may be able to make networks. */
export interface NetworkMeans {
  readonly means: 'netavark' | 'pasta' | 'slirp4netns';
  readonly file: string;
}

export interface FoundNetworks {
  /** Best first. */
  readonly means: readonly NetworkMeans[];
  /** Why there is none, or no other. */
  readonly lack: string;
}

/**
 * How steps may get a network of their own here: by netavark for root, by a user-mode network for others; else they use the
 * machine's. Only looks at files.
 */
export function findNetworks(privileges: Privileges): FoundNetworks {
  if (privileges.kind === 'root') return findForRoot();
  if (privileges.kind === 'none') return none('an ordinary user has no rights to make another');
  if (!mayOpenTunnels()) return none('/dev/net/tun cannot be opened');
  const means = (['pasta', 'slirp4netns'] as const).flatMap((name): readonly NetworkMeans[] => {
    const file = findExecutable(name);
    return file === undefined ? [] : [{ means: name, file }];
  });
  return { means, lack: 'neither pasta nor slirp4netns is installed' };
}

/** The best of them; asks it for its version, tries nothing. */
export async function chooseNetwork(privileges: Privileges): Promise<NetworkReport> {
  const { means, lack } = findNetworks(privileges);
  const [best] = means;
  return best === undefined ? host(lack) : reportOf(best);
}

function none(lack: string): FoundNetworks {
  return { means: [], lack };
}

function findForRoot(): FoundNetworks {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const mayAdminister = ((effective >> BigInt(capabilityNumber('CAP_NET_ADMIN'))) & 1n) === 1n;
  if (!mayAdminister) return none('this process lacks CAP_NET_ADMIN');
  const file = findNetavark();
  return { means: file === undefined ? [] : [{ means: 'netavark', file }], lack: 'netavark is not installed' };
}

/** What to tell of it; that of the machine's network where it does not even tell its version. */
export async function reportOf({ means, file }: NetworkMeans): Promise<NetworkReport> {
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
