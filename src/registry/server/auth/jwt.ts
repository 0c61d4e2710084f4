import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { isRecord } from '../../record.ts';

/** The signature algorithms that we make and take (RFC 7518 §3.1); the key decides which one, never the token alone. */
export type JwtAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'ES256' | 'ES384' | 'EdDSA';

export interface JwtHeader {
  readonly alg: string;
  readonly kid?: string | undefined;
  /** Certificates in base64 DER, the signer's first. */
  readonly x5c?: readonly string[] | undefined;
}

export interface ParsedJwt {
  readonly header: JwtHeader;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** A compact JWS with a JSON object in it; undefined for anything else. Nothing in it is proven yet. */
export function parseJwt(token: string): ParsedJwt | undefined {
  const parts = token.split('.');
  if (parts.length !== 3 || parts.some((part) => !/^[\w-]+$/.test(part))) return undefined;
  const [head = '', body = '', signature = ''] = parts;
  const header = jsonOf(head);
  const claims = jsonOf(body);
  if (header === undefined || claims === undefined || typeof header['alg'] !== 'string') return undefined;
  const { alg, kid, x5c, crit } = header;
  // What is critical and unknown to us may turn the meaning round (RFC 7515 §4.1.11).
  if (crit !== undefined) return undefined;
  const chain = Array.isArray(x5c) ? x5c.filter((certificate) => typeof certificate === 'string') : undefined;
  return {
    header: { alg, kid: typeof kid === 'string' ? kid : undefined, x5c: chain },
    claims,
    signed: Buffer.from(`${head}.${body}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

function jsonOf(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a key signs with: RS256 for RSA, ES256 or ES384 by curve, EdDSA; undefined for other keys. */
export function algorithmsOf(key: KeyObject): readonly JwtAlgorithm[] {
  if (key.asymmetricKeyType === 'rsa') return ['RS256', 'RS384', 'RS512'];
  if (key.asymmetricKeyType === 'ed25519') return ['EdDSA'];
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return ['ES256'];
  return curve === 'secp384r1' ? ['ES384'] : [];
}

export function signJwt(
  claims: Readonly<Record<string, unknown>>,
  { key, header }: { readonly key: KeyObject; readonly header: JwtHeader },
): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ typ: 'JWT', ...header })}.${encode(claims)}`;
  const signature = sign(hashOf(header.alg), Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** Whether `key` made the signature, by an algorithm that such a key has. */
export function isSignedBy({ header, signed, signature }: ParsedJwt, key: KeyObject): boolean {
  if (!algorithmsOf(key).some((algorithm) => algorithm === header.alg)) return false;
  return verify(hashOf(header.alg), signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

function hashOf(algorithm: string): string | null {
  return algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;
}

/** The name that docker's registry gives a key: twelve groups of base32, of the SHA-256 of its DER form. */
export function dockerKeyId(key: KeyObject): string {
  const der = createPublicKey(
    key.type === 'private' ? key.export({ type: 'pkcs8', format: 'pem' }) : key.export({ type: 'spki', format: 'pem' }),
  ).export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256').update(der).digest().subarray(0, 30);
  return (base32(hash).match(/.{4}/g) ?? []).join(':');
}

/** RFC 7638, of the keys that we take. */
export function thumbprint(key: KeyObject): string {
  const jwk = key.export({ format: 'jwk' });
  const members = ['crv', 'e', 'kty', 'n', 'x', 'y'].filter((name) => jwk[name] !== undefined);
  const text = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return createHash('sha256').update(text).digest('base64url');
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(bytes: Uint8Array): string {
  let text = '';
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(value >> (bits - 5)) & 31];
  }
  return text;
}
