import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkMode } from './contract.ts';

/** Generated files that are mounted over the container's own; the targets may be symbolic links there. */
export interface NetworkFile {
  readonly source: string;
  readonly target: '/etc/hosts' | '/etc/resolv.conf';
}

/** Writes hosts and resolv.conf into the bundle. */
export function writeNetworkFiles(
  bundle: string,
  options: { readonly hostname: string; readonly network: NetworkMode },
): readonly NetworkFile[] {
  return [
    { source: write(bundle, 'hosts', hosts(options.hostname)), target: '/etc/hosts' },
    {
      source: write(bundle, 'resolv.conf', options.network === 'host' ? machineResolver() : ''),
      target: '/etc/resolv.conf',
    },
  ];
}

/** As BuildKit writes it. */
function hosts(hostname: string): string {
  return `127.0.0.1\tlocalhost ${hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`;
}

/** The machine's resolver as it is: in its own network a resolver on loopback can be reached. */
function machineResolver(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}

/** Readable by every user inside, whatever our umask. */
function write(bundle: string, name: string, content: string): string {
  const file = join(bundle, name);
  writeFileSync(file, content);
  chmodSync(file, 0o644);
  return file;
}
