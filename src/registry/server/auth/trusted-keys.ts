import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '../../../errors.ts';
import { RegistryError } from '../../error.ts';
import { isRecord } from '../../record.ts';
import { dockerKeyId, isSignedBy, type ParsedJwt, thumbprint } from './jwt.ts';

const mostKeys = 32;
const longestChain = 8;

/** The keys by which a token server is known: its own, and those whose certificates it vouches for. */
export interface TrustedKeys {
  readonly keys: readonly { readonly ids: readonly string[]; readonly key: KeyObject }[];
  readonly certificates: readonly X509Certificate[];
}

/**
 * What a file of `--auth-token-cert` holds: PEM certificates, PEM public keys, or a JSON Web Key Set.
 * @throws RegistryError CONFIG
 */
export function parseTrustedKeys(content: Buffer, file: string): TrustedKeys {
  try {
    const text = content.toString('utf8');
    const found = text.trimStart().startsWith('{') ? keysOfSet(JSON.parse(text)) : keysOfPem(text);
    if (found.keys.length > 0 && found.keys.length <= mostKeys) return found;
  } catch (error) {
    throw new RegistryError('CONFIG', `${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
  throw new RegistryError('CONFIG', `${file} holds no key, or more than ${mostKeys}`, {
    hint: 'It is PEM with certificates or public keys, or a JSON Web Key Set.',
  });
}

function keysOfSet(set: unknown): TrustedKeys {
  const list = isRecord(set) && Array.isArray(set['keys']) ? set['keys'].filter(isRecord) : [];
  const keys = list.map((jwk) => {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return { key, ids: [...(typeof jwk['kid'] === 'string' ? [jwk['kid']] : []), ...idsOf(key)] };
  });
  return { keys, certificates: [] };
}

function keysOfPem(text: string): TrustedKeys {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  const certificates = blocks
    .filter((block) => block.includes('BEGIN CERTIFICATE'))
    .map((block) => new X509Certificate(block));
  const plain = blocks.filter((block) => block.includes('PUBLIC KEY')).map((block) => createPublicKey(block));
  const keys = [...certificates.map(({ publicKey }) => publicKey), ...plain];
  return { keys: keys.map((key) => ({ key, ids: idsOf(key) })), certificates };
}

function idsOf(key: KeyObject): readonly string[] {
  return [thumbprint(key), dockerKeyId(key)];
}

/** Whether a key that we trust, or one with a certificate that leads to one, made the token. */
export function isTrusted(token: ParsedJwt, trusted: TrustedKeys, now: number): boolean {
  const { x5c, kid } = token.header;
  if (x5c !== undefined && x5c.length > 0) {
    const key = keyOfChain(x5c, trusted.certificates, now);
    return key !== undefined && isSignedBy(token, key);
  }
  const named = trusted.keys.filter(({ ids }) => kid !== undefined && ids.includes(kid));
  return (named.length > 0 ? named : trusted.keys).some(({ key }) => isSignedBy(token, key));
}

/** The first certificate's key, if the chain leads to one of ours and all of it is valid now. */
function keyOfChain(x5c: readonly string[], roots: readonly X509Certificate[], now: number): KeyObject | undefined {
  if (x5c.length > longestChain) return undefined;
  try {
    const chain = x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')));
    const [leaf] = chain;
    for (const [at, certificate] of chain.entries()) {
      if (!isValidAt(certificate, now) || (at > 0 && !certificate.ca)) return undefined;
      if (roots.some((root) => root.raw.equals(certificate.raw))) return leaf?.publicKey;
      if (roots.some((root) => root.ca && isValidAt(root, now) && isIssuedBy(certificate, root)))
        return leaf?.publicKey;
      const issuer = chain[at + 1];
      if (issuer === undefined || !isIssuedBy(certificate, issuer)) return undefined;
    }
    return undefined;
  } catch {
    return undefined;
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime();
}
