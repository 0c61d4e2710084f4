/** What proves to a registry who we are. */
export type Credential = BasicCredential | IdentityToken | RegistryToken;

export interface BasicCredential {
  readonly kind: 'basic';
  readonly username: string;
  readonly password: string;
}

/** An OAuth2 refresh token that `docker login` got; exchanged for access tokens. */
export interface IdentityToken {
  readonly kind: 'identity-token';
  readonly token: string;
}

/** An access token to be sent as it is. */
export interface RegistryToken {
  readonly kind: 'registry-token';
  readonly token: string;
}

/** The value of an `Authorization: Basic` header (RFC 7617). */
export function basicAuthorization(credential: BasicCredential): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}
