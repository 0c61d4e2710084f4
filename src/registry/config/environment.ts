import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CredentialEnvironment } from '../credentials/sources.ts';

/** What decides where configuration is looked for. */
export interface ConfigEnvironment extends CredentialEnvironment {
  /** The folder of the machine's own settings: `/etc`. */
  readonly etc: string;
}

/** What this process was given. */
export function configEnvironment(): ConfigEnvironment {
  return { variables: process.env, home: homedir(), etc: '/etc' };
}

/** The user's folder for settings: `XDG_CONFIG_HOME`, else `~/.config`. */
export function userConfigFolder({ variables, home }: ConfigEnvironment): string {
  return variables.XDG_CONFIG_HOME || join(home, '.config');
}

/** The folders that may hold `hosts.toml`, the user's first (containerd's and docker's, whose layout containerd reads too). */
export function hostsFolders(environment: ConfigEnvironment): readonly string[] {
  const { etc } = environment;
  return [
    join(userConfigFolder(environment), 'containerd/certs.d'),
    join(etc, 'containerd/certs.d'),
    join(etc, 'docker/certs.d'),
  ];
}

/** The folders with a folder of certificates for each host, the user's first (containers-certs.d(5), docker). */
export function certificateFolders(environment: ConfigEnvironment): readonly string[] {
  const { etc, home } = environment;
  return [
    join(userConfigFolder(environment), 'containers/certs.d'),
    join(home, '.docker/certs.d'),
    join(etc, 'containers/certs.d'),
    join(etc, 'docker/certs.d'),
  ];
}
