import { RegistryError } from '../error.ts';
import { hub } from '../host.ts';
import type { Credential } from './credential.ts';

/** What a credential program of docker can do (docker-credential-helpers, "Development"). */
export interface CredentialProgram {
  /** undefined where it has none. */
  get(host: string, signal?: AbortSignal): Promise<Credential | undefined>;
  store(host: string, credential: Credential, signal?: AbortSignal): Promise<void>;
  erase(host: string, signal?: AbortSignal): Promise<void>;
}

/** What a program writes, and ends with 1, where it has no credential. */
export const notFound = 'credentials not found in native keychain';

/** The server name as docker gives it; a line break in it would ask the program for another host (CVE-2020-5260's way). */
export function programKey(host: string): string {
  if (!/^[\x21-\x7e]+$/.test(host))
    throw new RegistryError('CREDENTIALS', `not a registry host: ${JSON.stringify(host)}`);
  return host === hub.name ? hub.credentialKey : host;
}

/** The two members that carry a credential. */
export function namedSecret(credential: Credential): { Username: string; Secret: string } {
  if (credential.kind === 'basic') return { Username: credential.username, Secret: credential.password };
  return { Username: '<token>', Secret: credential.token };
}
