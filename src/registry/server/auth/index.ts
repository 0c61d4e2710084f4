export { type Access, parseAccessList, plainAccess, readAccessList } from './access-list.ts';
export { basicAuth, type BasicAuthOptions } from './basic-auth.ts';
export { openHtpasswd, parseHtpasswd } from './htpasswd.ts';
export type { ResourceAccess } from './scopes.ts';
export { ownTokenAuth, type OwnTokenAuthOptions, tokenAuth, type TokenAuthOptions } from './token-auth.ts';
export { openTokenSigner, type TokenKey, type TokenSigner } from './token-signer.ts';
export { parseTrustedKeys, type TrustedKeys } from './trusted-keys.ts';
export { anyUser, type Users } from './users.ts';
