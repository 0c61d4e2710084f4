import { createHash, type Hash } from 'node:crypto';
import { OciError } from './error.ts';

declare const digestBrand: unique symbol;

/** A content digest `algorithm:hex` that was checked (image-spec, descriptor.md "Digests"). */
export type Digest = `${DigestAlgorithm}:${string}` & { readonly [digestBrand]: true };

export type DigestAlgorithm = 'sha256' | 'sha512';

const hexLength: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };

/**
 * Checks `text` and brands it. Nothing else may become part of a path or URL as a digest (CVE-2024-3727: `sha256:../../x`).
 * @throws OciError INVALID_DIGEST
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new OciError('INVALID_DIGEST', `not a digest: ${JSON.stringify(text.slice(0, 160))}`);
  return text;
}

export function isDigest(text: unknown): text is Digest {
  if (typeof text !== 'string') return false;
  const match = /^(sha256|sha512):([0-9a-f]+)$/.exec(text);
  return match !== null && match[2]?.length === hexLength[match[1] as DigestAlgorithm];
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The first 12 hex digits, as docker shows ids. */
export function shortId(digest: Digest): string {
  return hexOf(digest).slice(0, 12);
}

export function digestOf(content: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return finishDigest(createHash(algorithm).update(content), algorithm);
}

/** Ends a running hash and names its result. */
export function finishDigest(hash: Hash, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

/** The id of a stack of layers (image-spec, config.md "Layer ChainID"); `parent` is undefined for the lowest. */
export function chainIdOf(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}

/** The chainID of a whole list, lowest layer first; undefined for no layers. */
export function chainIdOfAll(diffIds: readonly Digest[]): Digest | undefined {
  return diffIds.reduce<Digest | undefined>(chainIdOf, undefined);
}
