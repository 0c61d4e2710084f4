import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { RegistryError } from '../error.ts';
import { codeOf } from '../record.ts';

/** The variables that say where credentials are, and the home directory. */
export interface CredentialEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The only file to look into and to write, where a command line names one (`--authfile`). */
  readonly authFile?: string | undefined;
}

/** One place that may hold credentials, with its content. */
export interface CredentialText {
  readonly text: string;
  readonly place: string;
  /** docker's old `~/.dockercfg`, all of which is what `auths` is today. */
  readonly old: boolean;
}

const fileLimit = 1024 * 1024;

/** What this process was given. */
export function processEnvironment(authFile?: string): CredentialEnvironment {
  return { variables: process.env, home: homedir(), authFile };
}

/** The files that are looked at, first one first. */
export function credentialPaths(environment: CredentialEnvironment = processEnvironment()): readonly string[] {
  if (environment.authFile !== undefined) return [environment.authFile];
  const { variables } = environment;
  const runtime = variables['XDG_RUNTIME_DIR'];
  const paths = [
    variables['REGISTRY_AUTH_FILE'],
    runtime ? join(runtime, 'containers/auth.json') : undefined,
    containersPath(environment),
    dockerPath(environment),
  ];
  return paths.filter((path): path is string => path !== undefined && path !== '');
}

/** The file that a login is written to: the one that was named, else docker's config.json. */
export function loginPath(environment: CredentialEnvironment = processEnvironment()): string {
  return environment.authFile ?? (environment.variables['REGISTRY_AUTH_FILE'] || dockerPath(environment));
}

/** containers' auth.json of the user. */
export function containersPath({ variables, home }: CredentialEnvironment): string {
  return join(variables['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers/auth.json');
}

function dockerPath({ variables, home }: CredentialEnvironment): string {
  return join(variables['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json');
}

/** All places with credentials that exist, in order. Files that are not there or not readable are passed over. */
export async function credentialTexts(
  environment: CredentialEnvironment = processEnvironment(),
): Promise<readonly CredentialText[]> {
  const { variables, home, authFile } = environment;
  const named = variables['REGISTRY_AUTH_FILE'];
  const texts: CredentialText[] = [];
  for (const path of credentialPaths(environment)) {
    // what a command line or REGISTRY_AUTH_FILE names goes before what is in the environment itself
    if (path !== authFile && path !== named) break;
    await addFile(texts, path);
  }
  if (authFile !== undefined) return texts;
  const direct = variables['DOCKER_AUTH_CONFIG'];
  if (direct) texts.push({ text: direct, place: 'DOCKER_AUTH_CONFIG', old: false });
  for (const path of credentialPaths(environment)) if (path !== named) await addFile(texts, path);
  await addFile(texts, join(home, '.dockercfg'), true);
  return texts;
}

async function addFile(texts: CredentialText[], place: string, old = false): Promise<void> {
  const text = await readCredentialFile(place);
  if (text !== undefined) texts.push({ text, place, old });
}

/**
 * The text of a credential file; undefined where there is none that we may read.
 * @throws RegistryError CREDENTIALS for files over 1 MiB
 */
export async function readCredentialFile(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path, 'r');
    // read and not measured: it may be a pipe
    const content = Buffer.alloc(fileLimit + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(content, length, content.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === content.length) break;
    }
    if (length > fileLimit) throw new RegistryError('CREDENTIALS', `${path} is larger than ${fileLimit} bytes`);
    return content.toString('utf8', 0, length);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
