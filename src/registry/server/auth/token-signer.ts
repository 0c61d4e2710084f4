import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '../../../errors.ts';
import { RegistryError } from '../../error.ts';
import { algorithmsOf, dockerKeyId, type JwtHeader, signJwt, thumbprint } from './jwt.ts';
import type { TrustedKeys } from './trusted-keys.ts';

/** Signs tokens, and says by which keys they are known. */
export interface TokenSigner {
  sign(claims: Readonly<Record<string, unknown>>): string;
  readonly trusted: TrustedKeys;
  /** The public key as a JSON Web Key Set, for other registries that take our tokens. */
  readonly keySet: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
}

export interface TokenKey {
  /** PEM with a private key: RSA, an elliptic curve P-256 or P-384, or Ed25519. */
  readonly key: Buffer;
  /** PEM with its certificate and those that lead to a known one; sent with each token as `x5c`. */
  readonly certificate?: Buffer | undefined;
}

/**
 * Signs with a key that is given, else with one that is made now and dies with the process.
 * @throws RegistryError CONFIG
 */
export function openTokenSigner(given?: TokenKey): TokenSigner {
  const key = given === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : readKey(given.key);
  const publicKey = createPublicKey(key);
  const [alg] = algorithmsOf(publicKey);
  if (alg === undefined) throw unusable('it is neither RSA nor of P-256, P-384 or Ed25519');
  if (publicKey.asymmetricKeyType === 'rsa' && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
    throw unusable('it has less than 2048 bits');
  const x5c = given?.certificate === undefined ? undefined : readChain(given.certificate, publicKey);
  const kid = dockerKeyId(publicKey);
  const header: JwtHeader = {
    alg,
    kid,
    ...(x5c === undefined ? {} : { x5c: x5c.map(({ raw }) => raw.toString('base64')) }),
  };
  return {
    sign: (claims) => signJwt(claims, { key, header }),
    trusted: { keys: [{ key: publicKey, ids: [kid, thumbprint(publicKey)] }], certificates: x5c?.slice(0, 1) ?? [] },
    keySet: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }] },
  };
}

function readKey(pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's messages may quote what they read
    throw unusable('it is no private key in PEM without a passphrase');
  }
}

function readChain(pem: Buffer, key: KeyObject): readonly X509Certificate[] {
  try {
    const blocks = pem.toString('utf8').match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
    const chain = blocks.map((block) => new X509Certificate(block));
    const spki = (one: KeyObject): Buffer => one.export({ type: 'spki', format: 'der' });
    const [first] = chain;
    if (first !== undefined && spki(first.publicKey).equals(spki(key))) return chain;
  } catch (error) {
    throw new RegistryError('CONFIG', `the certificate of the token key cannot be used: ${messageOf(error)}`);
  }
  throw new RegistryError('CONFIG', 'the certificate of the token key is not for that key');
}

function unusable(why: string): RegistryError {
  return new RegistryError('CONFIG', `the token key cannot be used: ${why}`);
}
