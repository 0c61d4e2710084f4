import { canonicalHost } from '../host.ts';
import { editAuths, entryOf, fileKey, without } from './auth-edits.ts';
import { entriesOf, parseAuthFile, parseObject } from './auth-file.ts';
import { credentialProgram } from './credential-program.ts';
import type { CredentialProgram } from './program-protocol.ts';
import type { Credential } from './credential.ts';
import { programOf } from './lookup.ts';
import { ownSuffix } from './own-keeper.ts';
import {
  type CredentialEnvironment,
  containersPath,
  credentialPaths,
  loginPath,
  processEnvironment,
  readCredentialFile,
} from './sources.ts';

export interface SaveOptions {
  readonly environment?: CredentialEnvironment | undefined;
  readonly program?: ((suffix: string) => CredentialProgram) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where a credential went: a file, or the program that keeps it. */
export interface SavedCredential {
  readonly place: string;
  /** False in a file: base64 hides nothing, and the user should be told. */
  readonly protected: boolean;
}

/**
 * Keeps a credential for `host`: in the credential program that the file names for it, else in the file itself (mode
 * 0600, replaced in one step, other members kept, through a symbolic link to its target).
 * @throws RegistryError CREDENTIALS
 */
export async function saveCredential(
  host: string,
  credential: Credential,
  options: SaveOptions = {},
): Promise<SavedCredential> {
  const path = loginPath(options.environment);
  const suffix = await programFor(path, host);
  const key = fileKey(host);
  if (suffix !== undefined) {
    await (options.program ?? credentialProgram)(suffix).store(canonicalHost(host), credential, options.signal);
    // an empty entry, as docker writes it, lists the host among the logins
    await editAuths(path, (auths) => ({ ...without(auths, host), [key]: {} }));
    return { place: `docker-credential-${suffix}`, protected: true };
  }
  await editAuths(path, (auths) => ({ ...without(auths, host), [key]: entryOf(credential) }));
  return { place: path, protected: false };
}

/**
 * Forgets the credential for `host` in every file and program that is looked at; true if there was one to forget.
 * @throws RegistryError CREDENTIALS
 */
export async function eraseCredential(host: string, options: SaveOptions = {}): Promise<boolean> {
  let erased = false;
  for (const path of new Set([loginPath(options.environment), ...credentialPaths(options.environment)])) {
    const text = await readCredentialFile(path);
    if (text === undefined) continue;
    const suffix = await programFor(path, host);
    if (suffix !== undefined) {
      const program = (options.program ?? credentialProgram)(suffix);
      const stored = await program.get(canonicalHost(host), options.signal);
      if (stored !== undefined) await program.erase(canonicalHost(host), options.signal);
      erased ||= stored !== undefined;
    }
    const auths = Object.fromEntries(entriesOf(parseObject(text, path).auths));
    if (Object.keys(without(auths, host)).length === Object.keys(auths).length) continue;
    await editAuths(path, (current) => without(current, host));
    erased = true;
  }
  return erased;
}

async function programFor(path: string, host: string): Promise<string | undefined> {
  const file = parseAuthFile((await readCredentialFile(path)) ?? '{}', path);
  const suffix = programOf(file.credHelpers, host) ?? file.credsStore;
  // what we would keep ourselves is kept in this very file
  return suffix === ownSuffix && path === containersPath(processEnvironment()) ? undefined : suffix;
}
