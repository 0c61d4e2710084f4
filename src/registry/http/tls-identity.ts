import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { messageOf } from '../../errors.ts';
import { configFolder, readConfigBytes } from '../config/config-file.ts';
import { misconfigured, type Place } from '../config/place.ts';
import type { ClientCertificate, TlsFile } from '../config/tls-files.ts';
import type { Reach } from './reach.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

const certificatePattern = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/**
 * What a TLS connection is made with; undefined for Node's own defaults, which cost nothing. A list of authorities of
 * one's own costs some 20 ms, so it is asked for with the first TLS connection, not before.
 * @param system gives the machine's own authorities, which then hold beside the usual ones
 * @throws RegistryError CONFIG naming the file that is not there or not what it should be
 */
export function secureContextOf(
  reach: Reach,
  variables: Variables,
  system?: () => readonly string[],
): SecureContext | undefined {
  const roots = namedRoots(variables) ?? (system && [...getCACertificates('default'), ...system()]);
  if (roots === undefined && reach.authorities.length === 0 && reach.clients.length === 0) return undefined;
  const authorities = reach.authorities.flatMap(certificatesOf);
  const usual = roots ?? (authorities.length === 0 ? undefined : getCACertificates('default'));
  const pairs = reach.clients.map(readPair);
  return createSecureContext({
    ...(usual === undefined ? {} : { ca: [...usual, ...authorities] }),
    ...(pairs.length === 0 ? {} : { cert: pairs.map(({ cert }) => cert), key: pairs.map(({ key }) => key) }),
  });
}

/** Whether the machine's own authorities may hold: named ones stand in the place of all others. */
export function mayTrustSystem({ SSL_CERT_FILE: file, SSL_CERT_DIR: folders }: Variables): boolean {
  return !file && !folders;
}

/** What the machine's administrator made trusted (update-ca-certificates); reading it takes some 70 ms. */
export function systemRoots(): readonly string[] {
  return getCACertificates('system');
}

/**
 * The authorities of SSL_CERT_FILE and SSL_CERT_DIR, which stand in the place of the usual ones, with those of
 * NODE_EXTRA_CA_CERTS; undefined where neither is set, and Node's own list with NODE_EXTRA_CA_CERTS holds.
 */
function namedRoots(variables: Variables): readonly string[] | undefined {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = variables;
  if (mayTrustSystem(variables)) return undefined;
  const fromFile = file ? certificatesOf({ path: file, place: { source: 'SSL_CERT_FILE' } }) : [];
  const fromFolders = (folders ?? '')
    .split(':')
    .filter((folder) => folder !== '')
    .flatMap((folder) => configFolder(folder, ''))
    .flatMap(certificatesIn);
  return [...new Set([...fromFile, ...fromFolders, ...getCACertificates('extra')])];
}

/** Whatever a folder holds beside certificates, such as other folders, is passed over, as OpenSSL does. */
function certificatesIn(path: string): readonly string[] {
  try {
    return pemBlocks(readConfigBytes(path));
  } catch {
    return [];
  }
}

function certificatesOf({ path, place }: TlsFile): readonly string[] {
  const blocks = pemBlocks(readNamed(path, place));
  if (blocks.length === 0) throw misconfigured({ source: path }, 'holds no certificate in PEM form');
  // Node passes over what it cannot read, and then the error is about the server
  if (blocks.length < 16) for (const block of blocks) checkCertificate(block, path);
  return blocks;
}

function checkCertificate(block: string, path: string): void {
  try {
    new X509Certificate(block);
  } catch (cause) {
    throw misconfigured({ source: path }, `holds a certificate that cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function pemBlocks(bytes: Buffer | undefined): readonly string[] {
  return bytes?.toString('latin1').match(certificatePattern) ?? [];
}

function readPair({ certificate, key, place }: ClientCertificate): { readonly cert: Buffer; readonly key: Buffer } {
  const pair = { cert: readNamed(certificate, place), key: readNamed(key, place) };
  try {
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    const names = certificate === key ? certificate : `${certificate} with ${key}`;
    throw misconfigured(place, `${names} is no client certificate with its key: ${messageOf(cause)}`, {
      cause,
      hint: 'Both must be in PEM form, belong to each other, and the key must have no password.',
    });
  }
}

function readNamed(path: string, place: Place): Buffer {
  const bytes = readConfigBytes(path);
  if (bytes === undefined) throw misconfigured(place, `names ${path}, which is not there`);
  return bytes;
}
