import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { RegistryError } from '../error.ts';
import { codeOf } from '../record.ts';

/** The variables that say where credentials are, and the home directory. */
export interface CredentialEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** One place that may hold credentials, with its content. */
export interface CredentialText {
  readonly text: string;
  readonly place: string;
}

const fileLimit = 1024 * 1024;

/** What this process was given. */
export function processEnvironment(): CredentialEnvironment {
  return { variables: process.env, home: homedir() };
}

/** The files that are looked at, first one first. */
export function credentialPaths({ variables, home }: CredentialEnvironment = processEnvironment()): readonly string[] {
  const paths = [
    variables.REGISTRY_AUTH_FILE,
    variables.XDG_RUNTIME_DIR && join(variables.XDG_RUNTIME_DIR, 'containers/auth.json'),
    join(variables.XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    join(variables.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
  ];
  return paths.filter((path): path is string => path !== undefined && path !== '');
}

/** The file that a login is written to: REGISTRY_AUTH_FILE where it is set, else docker's config.json. */
export function loginPath(environment: CredentialEnvironment = processEnvironment()): string {
  const { variables, home } = environment;
  return variables.REGISTRY_AUTH_FILE || join(variables.DOCKER_CONFIG || join(home, '.docker'), 'config.json');
}

/** All places with credentials that exist, in order. Files that are not there or not readable are passed over. */
export async function credentialTexts(
  environment: CredentialEnvironment = processEnvironment(),
): Promise<readonly CredentialText[]> {
  const texts: CredentialText[] = [];
  const direct = environment.variables.DOCKER_AUTH_CONFIG;
  if (direct) texts.push({ text: direct, place: 'DOCKER_AUTH_CONFIG' });
  for (const path of credentialPaths(environment)) {
    const text = await readCredentialFile(path);
    if (text !== undefined) texts.push({ text, place: path });
  }
  return texts;
}

/**
 * The text of a credential file; undefined where there is none that we may read.
 * @throws RegistryError CREDENTIALS for files over 1 MiB
 */
export async function readCredentialFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > fileLimit) throw new RegistryError('CREDENTIALS', `${path} is larger than ${fileLimit} bytes`);
    return await file.readFile('utf8');
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
