import { createPrivateKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { WireReader, wireInteger, wireString } from './wire.ts';

/** A private key as an agent has it. */
export interface SshKey {
  /** The public key as it goes over the wire. */
  readonly blob: Buffer;
  readonly comment: string;
  /** A signature as it goes over the wire. `flags`: those of SSH_AGENTC_SIGN_REQUEST. */
  sign(data: Buffer, flags: number): Buffer;
}

const curves: Readonly<Record<string, { readonly name: string; readonly size: number; readonly hash: string }>> = {
  'P-256': { name: 'nistp256', size: 32, hash: 'sha256' },
  'P-384': { name: 'nistp384', size: 48, hash: 'sha384' },
  'P-521': { name: 'nistp521', size: 66, hash: 'sha512' },
};

/**
 * Reads a private key without a passphrase, in OpenSSH's own format or as PEM (PKCS #1, PKCS #8, SEC 1): RSA, ECDSA or Ed25519.
 * @throws Error whose message says what is wrong with it, and nothing of what is in it
 */
export function parsePrivateKey(file: Buffer): SshKey {
  const armour = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/.exec(
    file.toString('latin1'),
  );
  if (armour === null) return keyOf(fromPem(file), '');
  const { jwk, comment } = readOpenSsh(Buffer.from(armour[1] ?? '', 'base64'));
  return keyOf(createPrivateKey({ key: jwk, format: 'jwk' }), comment);
}

function fromPem(file: Buffer): KeyObject {
  const text = file.toString('latin1');
  if (!text.includes('-----BEGIN ')) throw new Error('it is no private key');
  if (/ENCRYPTED/.test(text)) throw new Error('it has a passphrase');
  try {
    return createPrivateKey(file);
  } catch {
    throw new Error('it is no private key that can be read'); // OpenSSL's words say no more
  }
}

interface OpenSshKey {
  readonly jwk: JsonWebKey;
  readonly comment: string;
}

/** PROTOCOL.key of OpenSSH. */
function readOpenSsh(bytes: Buffer): OpenSshKey {
  const reader = new WireReader(bytes);
  const magic = 'openssh-key-v1\0';
  if (reader.take(magic.length).toString('latin1') !== magic) throw new Error('it is no OpenSSH key');
  const cipher = reader.text();
  if (cipher !== 'none') throw new Error('it has a passphrase');
  reader.string(); // key derivation
  reader.string();
  if (reader.uint32() !== 1) throw new Error('it holds more than one key');
  reader.string(); // public
  const inner = new WireReader(reader.string());
  if (inner.uint32() !== inner.uint32()) throw new Error('it is damaged');
  const jwk = readFields(inner.text(), inner);
  return { jwk, comment: inner.string().toString() };
}

function readFields(type: string, reader: WireReader): JsonWebKey {
  if (type === 'ssh-ed25519') {
    const x = reader.string();
    const seed = reader.string().subarray(0, 32);
    return { kty: 'OKP', crv: 'Ed25519', x: text(x), d: text(seed) };
  }
  if (type === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = [0, 1, 2, 3, 4, 5].map(() => unsigned(reader.string()));
    if (!n || !e || !d || !qi || !p || !q) throw new Error('it is damaged');
    const [dp, dq] = [reduced(d, p), reduced(d, q)];
    return { kty: 'RSA', n: text(n), e: text(e), d: text(d), p: text(p), q: text(q), dp, dq, qi: text(qi) };
  }
  const found = Object.entries(curves).find(([, { name }]) => type === `ecdsa-sha2-${name}`);
  if (found === undefined) throw new Error(`keys of type ${JSON.stringify(type)} are not known`);
  const [crv, { size }] = found;
  reader.string(); // the curve again
  const point = reader.string().subarray(1); // after the byte that says "not compressed"
  const [x, y] = [point.subarray(0, size), point.subarray(size)];
  return { kty: 'EC', crv, x: text(x), y: text(y), d: text(padded(unsigned(reader.string()), size)) };
}

function keyOf(key: KeyObject, comment: string): SshKey {
  const jwk = key.export({ format: 'jwk' });
  if (jwk.kty === 'RSA') {
    const blob = Buffer.concat([wireString('ssh-rsa'), wireInteger(raw(jwk.e)), wireInteger(raw(jwk.n))]);
    return { blob, comment, sign: (data, flags) => signRsa(key, data, flags) };
  }
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    const name = wireString('ssh-ed25519');
    const blob = Buffer.concat([name, wireString(raw(jwk.x))]);
    return { blob, comment, sign: (data) => Buffer.concat([name, wireString(sign(null, data, key))]) };
  }
  const curve = jwk.kty === 'EC' ? curves[jwk.crv ?? ''] : undefined;
  if (curve === undefined) throw new Error(`keys of type ${jwk.crv ?? jwk.kty} are not known`);
  const name = wireString(`ecdsa-sha2-${curve.name}`);
  const point = Buffer.concat([Buffer.of(4), padded(raw(jwk.x), curve.size), padded(raw(jwk.y), curve.size)]);
  return {
    blob: Buffer.concat([name, wireString(curve.name), wireString(point)]),
    comment,
    sign: (data) => {
      const both = sign(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' });
      const [r, s] = [both.subarray(0, curve.size), both.subarray(curve.size)];
      return Buffer.concat([name, wireString(Buffer.concat([wireInteger(r), wireInteger(s)]))]);
    },
  };
}

/** SSH_AGENT_RSA_SHA2_256 and _512 of RFC 8332; without them SHA-1, which servers refuse by now. */
function signRsa(key: KeyObject, data: Buffer, flags: number): Buffer {
  const [name, hash] =
    (flags & 4) !== 0
      ? ['rsa-sha2-512', 'sha512']
      : (flags & 2) !== 0
        ? ['rsa-sha2-256', 'sha256']
        : ['ssh-rsa', 'sha1'];
  return Buffer.concat([wireString(name ?? ''), wireString(sign(hash, data, key))]);
}

function unsigned(value: Buffer): Buffer {
  return value[0] === 0 ? value.subarray(1) : value;
}

function padded(value: Buffer, size: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.max(0, size - value.length)), value]);
}

/** d mod (prime - 1), which OpenSSH leaves out. */
function reduced(d: Buffer, prime: Buffer): string {
  const value = BigInt(`0x${d.toString('hex')}`) % (BigInt(`0x${prime.toString('hex')}`) - 1n);
  const hex = value.toString(16);
  return text(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}

function text(value: Buffer): string {
  return value.toString('base64url');
}

function raw(value: string | undefined): Buffer {
  return Buffer.from(value ?? '', 'base64url');
}
