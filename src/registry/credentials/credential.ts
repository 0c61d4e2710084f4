import { rememberSecret } from '../redact.ts';

/** What proves to a registry who we are. */
export type Credential = BasicCredential | IdentityToken | RegistryToken;

export interface BasicCredential {
  readonly kind: 'basic';
  readonly username: string;
  readonly password: string;
}

/** An OAuth2 refresh token that a login got; exchanged for access tokens. */
export interface IdentityToken {
  readonly kind: 'identity-token';
  readonly token: string;
  /** Whose it is, where that is known; for people only. */
  readonly username?: string | undefined;
}

/** An access token to be sent as it is. */
export interface RegistryToken {
  readonly kind: 'registry-token';
  readonly token: string;
}

/** The value of an `Authorization: Basic` header (RFC 7617). */
export function basicAuthorization(credential: BasicCredential): string {
  return `Basic ${encodeBasic(credential)}`;
}

/** The base64 of `user:password`, as headers and credential files have it. */
export function encodeBasic({ username, password }: BasicCredential): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

/** The same credential; what is secret in it is hidden from now on in errors, notes, traces and histories. */
export function guarded<T extends Credential | undefined>(credential: T): T {
  if (credential === undefined) return credential;
  rememberSecret(credential.kind === 'basic' ? credential.password : credential.token);
  if (credential.kind === 'basic') rememberSecret(encodeBasic(credential));
  return credential;
}

/** Whose credential it is; undefined for a token without a name. */
export function userOf(credential: Credential): string | undefined {
  return credential.kind === 'registry-token' ? undefined : credential.username;
}
