import { isSlipwayError, messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { canonicalHost } from '../host.ts';
import { redactText } from '../redact.ts';
import type { AuthFile } from './auth-file.ts';
import { parseAuthFile, parseOldAuthFile } from './auth-file.ts';
import { credentialProgram } from './credential-program.ts';
import type { CredentialProgram } from './program-protocol.ts';
import { type Credential, guarded } from './credential.ts';
import { bestKey } from './host-match.ts';
import { type CredentialEnvironment, credentialTexts } from './sources.ts';

export interface CredentialQuery {
  readonly host: string;
  /** For keys that hold for part of a host only; '' for none. */
  readonly repository: string;
  /** `push` makes a broken credential program an error; a pull then goes on without a credential. */
  readonly purpose: 'pull' | 'push';
}

/** Makes credentials for the hosts of one service; undefined for other hosts. */
export interface CredentialProvider {
  /** For messages, such as `Amazon ECR`. */
  readonly name: string;
  readonly find: (query: CredentialQuery, signal?: AbortSignal) => Promise<Credential | undefined>;
}

/** A credential and where it comes from. */
export interface FoundCredential {
  readonly credential: Credential;
  /** A file, `DOCKER_AUTH_CONFIG`, `docker-credential-…` or the name of a service. */
  readonly place: string;
}

/** How registries.conf calls the credential files among programs. */
export const authFilesHelper = 'containers-auth.json';

export interface LookupOptions {
  readonly environment?: CredentialEnvironment | undefined;
  /** registries.conf's `credential-helpers`: programs for all hosts, `containers-auth.json` for the files; these alone unless given. */
  readonly helpers?: readonly string[] | undefined;
  readonly providers?: readonly CredentialProvider[] | undefined;
  readonly warn?: ((message: string) => void) | undefined;
  readonly program?: ((suffix: string) => CredentialProgram) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The user's credential for a repository; undefined for none. Sources in order: the file of `--authfile` (then nothing
 * else), REGISTRY_AUTH_FILE, DOCKER_AUTH_CONFIG, containers' auth.json (of the session, then of the user), docker's
 * config.json, `~/.dockercfg`; then services whose credentials can be made. Within one
 * file: `credHelpers`, then `credsStore`, then `auths`, of which the longest key that fits counts.
 * @throws RegistryError CREDENTIALS for files that cannot be read as such, and for pushes where a program fails
 */
export async function findCredential(
  query: CredentialQuery,
  options: LookupOptions = {},
): Promise<FoundCredential | undefined> {
  const found = (await configured(query, options)) ?? (await made(query, options));
  guarded(found?.credential);
  return found;
}

/** What the user set up: the files, and the programs that are named for all hosts, in their order. */
async function configured(query: CredentialQuery, options: LookupOptions): Promise<FoundCredential | undefined> {
  for (const helper of options.helpers ?? [authFilesHelper]) {
    const found = await (helper === authFilesHelper ? inFiles(query, options) : askProgram(helper, query, options));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function inFiles(query: CredentialQuery, options: LookupOptions): Promise<FoundCredential | undefined> {
  for (const { text, place, old } of await credentialTexts(options.environment)) {
    const file = old ? parseOldAuthFile(text, place) : parseAuthFile(text, place);
    const found = await inFile(file, place, query, options);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function inFile(
  file: AuthFile,
  place: string,
  query: CredentialQuery,
  options: LookupOptions,
): Promise<FoundCredential | undefined> {
  const { host, repository } = query;
  const suffix = programOf(file.credHelpers, host) ?? file.credsStore;
  const kept = suffix === undefined ? undefined : await askProgram(suffix, query, options);
  if (kept !== undefined) return kept;
  const key = bestKey([...file.auths.keys()], host, repository);
  const credential = key === undefined ? undefined : file.auths.get(key);
  return credential && { credential, place };
}

/** The program for a host, by a map of hosts. */
export function programOf(helpers: ReadonlyMap<string, string>, host: string): string | undefined {
  const named = bestKey([...helpers.keys()], host, '');
  return named === undefined ? undefined : helpers.get(named);
}

async function made(query: CredentialQuery, options: LookupOptions): Promise<FoundCredential | undefined> {
  for (const { name, find } of options.providers ?? []) {
    const credential = await orWarn(query, options, () => find(query, options.signal));
    if (credential !== undefined) return { credential, place: name };
  }
  return undefined;
}

async function askProgram(
  suffix: string,
  query: CredentialQuery,
  options: LookupOptions,
): Promise<FoundCredential | undefined> {
  const host = canonicalHost(query.host);
  const credential = await orWarn(query, options, () =>
    (options.program ?? credentialProgram)(suffix).get(host, options.signal),
  );
  return credential && { credential, place: `docker-credential-${suffix}` };
}

/** What fails leaves a pull without a credential, with a word: most images are public. A push needs the user's own. */
async function orWarn(
  query: CredentialQuery,
  options: LookupOptions,
  ask: () => Promise<Credential | undefined>,
): Promise<Credential | undefined> {
  try {
    return await ask();
  } catch (error) {
    options.signal?.throwIfAborted();
    const message = redactText(messageOf(error));
    if (query.purpose === 'push') {
      throw new RegistryError('CREDENTIALS', `no credential for ${query.host}: ${message}`, {
        cause: error,
        hint:
          (isSlipwayError(error) ? error.hint : undefined) ??
          'Install that program, or take its name out of credHelpers and credsStore and log in again.',
      });
    }
    options.warn?.(`${message}; going on without a credential for ${query.host}`);
    return undefined;
  }
}
