import { messageOf } from '../../errors.ts';
import { RegistryError } from '../error.ts';
import { canonicalHost } from '../host.ts';
import { redactText } from '../redact.ts';
import type { AuthFile } from './auth-file.ts';
import { parseAuthFile } from './auth-file.ts';
import { type CredentialProgram, credentialProgram } from './credential-program.ts';
import type { Credential } from './credential.ts';
import { bestKey } from './host-match.ts';
import { type CredentialEnvironment, credentialTexts } from './sources.ts';

export interface CredentialQuery {
  readonly host: string;
  /** For keys that hold for part of a host only; '' for none. */
  readonly repository: string;
  /** `push` makes a broken credential program an error; a pull then goes on without a credential. */
  readonly purpose: 'pull' | 'push';
}

export interface LookupOptions {
  readonly environment?: CredentialEnvironment | undefined;
  readonly warn?: ((message: string) => void) | undefined;
  readonly program?: ((suffix: string) => CredentialProgram) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The user's credential for a repository; undefined for none. Sources in order: DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE,
 * containers' auth.json (of the session, then of the user), docker's config.json. Within one: `credHelpers`, then
 * `credsStore`, then `auths`.
 * @throws RegistryError CREDENTIALS for files that cannot be read as such, and for pushes where a program fails
 */
export async function findCredential(
  query: CredentialQuery,
  options: LookupOptions = {},
): Promise<Credential | undefined> {
  for (const { text, place } of await credentialTexts(options.environment)) {
    const found = await credentialIn(parseAuthFile(text, place), query, options);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function credentialIn(
  file: AuthFile,
  query: CredentialQuery,
  options: LookupOptions,
): Promise<Credential | undefined> {
  const { host, repository } = query;
  const named = bestKey([...file.credHelpers.keys()], host, '');
  const suffix = (named === undefined ? undefined : file.credHelpers.get(named)) ?? file.credsStore;
  if (suffix !== undefined) {
    const found = await askProgram(suffix, query, options);
    if (found !== undefined) return found;
  }
  const key = bestKey([...file.auths.keys()], host, repository);
  return key === undefined ? undefined : file.auths.get(key);
}

async function askProgram(
  suffix: string,
  query: CredentialQuery,
  options: LookupOptions,
): Promise<Credential | undefined> {
  try {
    const program = (options.program ?? credentialProgram)(suffix);
    return await program.get(canonicalHost(query.host), options.signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    const message = redactText(messageOf(error));
    if (query.purpose === 'push') {
      throw new RegistryError('CREDENTIALS', `no credential for ${query.host}: ${message}`, {
        cause: error,
        hint: 'Install that program, or take its name out of credHelpers and credsStore and log in again.',
      });
    }
    options.warn?.(`${message}; going on without a credential for ${query.host}`);
    return undefined;
  }
}
