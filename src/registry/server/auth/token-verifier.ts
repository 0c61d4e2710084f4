import { parseJwt } from './jwt.ts';
import { accessClaim, type ResourceAccess } from './scopes.ts';
import { isTrusted, type TrustedKeys } from './trusted-keys.ts';

export interface TokenVerifierOptions {
  /** `iss` of tokens that we take. */
  readonly issuer: string;
  /** Ours, which must be in `aud`. */
  readonly service: string;
  readonly trusted: TrustedKeys;
}

/** What a token proves. */
export interface VerifiedToken {
  readonly user: string | undefined;
  readonly access: readonly ResourceAccess[];
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Seconds by which clocks may differ. */
const leeway = 60;

/** Judges a token (RFC 7519; distribution, docs/spec/auth/jwt.md); undefined for one that proves nothing. */
export function verifyToken(
  token: string,
  { issuer, service, trusted }: TokenVerifierOptions,
  now: number = Date.now(),
): VerifiedToken | undefined {
  const parsed = parseJwt(token);
  if (parsed === undefined) return undefined;
  const { iss, aud, exp, nbf, sub, access } = parsed.claims;
  const seconds = now / 1000;
  if (iss !== issuer || !(aud === service || (Array.isArray(aud) && aud.includes(service)))) return undefined;
  if (typeof exp !== 'number' || exp + leeway < seconds) return undefined;
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf - leeway <= seconds)) return undefined;
  if (!isTrusted(parsed, trusted, now)) return undefined;
  const user = typeof sub === 'string' && sub !== '' ? sub : undefined;
  return { user, access: accessClaim(access), claims: parsed.claims };
}
