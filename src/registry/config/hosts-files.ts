import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfigText } from './config-file.ts';
import { type ConfigEnvironment, hostsFolders } from './environment.ts';
import { type HostsToml, parseHostsToml } from './hosts-toml.ts';

/**
 * The hosts.toml for a host; in each place the folder of the host goes before `_default`, and the first folder that
 * exists is the one (containerd, docs/hosts.md).
 * @throws RegistryError CONFIG
 */
export function readHostsToml(environment: ConfigEnvironment, host: string): HostsToml | undefined {
  for (const folder of hostsFolders(environment)) {
    const name = hostFolderNames(host).find((candidate) => existsSync(join(folder, candidate)));
    const file = name === undefined ? undefined : readConfigText(join(folder, name, 'hosts.toml'));
    // a folder with certificates alone says nothing of hosts
    if (file !== undefined && file.text.trim() !== '') return parseHostsToml(file);
  }
  return undefined;
}

function hostFolderNames(host: string): readonly string[] {
  const underscored = host.replace(/:(\d+)$/, '_$1_');
  return [...new Set([underscored, host, '_default'])];
}
