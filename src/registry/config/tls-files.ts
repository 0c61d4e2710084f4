import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder } from './config-file.ts';
import type { Place } from './place.ts';
import { misconfigured } from './place.ts';

/** A file of certificates, and who names it. */
export interface TlsFile {
  readonly path: string;
  readonly place: Place;
}

/** What we show to a registry that wants to know us; `key` is the same file where that holds both. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly place: Place;
}

/** The certificates for one host. */
export interface TlsFiles {
  /** Authorities trusted for it beside the usual ones. */
  readonly authorities: readonly TlsFile[];
  readonly clients: readonly ClientCertificate[];
}

export const noTlsFiles: TlsFiles = { authorities: [], clients: [] };

/**
 * The certificates of a folder as docker and containers-certs.d(5) have it: `*.crt` are authorities, `NAME.cert` with
 * `NAME.key` is a client certificate.
 * @throws RegistryError CONFIG where one half of a pair is missing
 */
export function certificateFolder(folder: string): TlsFiles {
  const place = { source: folder };
  const keys = new Set(configFolder(folder, '.key'));
  const clients = configFolder(folder, '.cert').map((certificate) => {
    const key = `${certificate.slice(0, -'.cert'.length)}.key`;
    if (!keys.delete(key)) throw misconfigured({ source: certificate }, `has no key beside it: ${key} is missing`);
    return { certificate, key, place };
  });
  const [lonely] = keys;
  if (lonely !== undefined) {
    throw misconfigured({ source: lonely }, `has no certificate beside it: ${lonely.slice(0, -4)}.cert is missing`);
  }
  return { authorities: configFolder(folder, '.crt').map((path) => ({ path, place })), clients };
}

/**
 * The certificates that several folders have for a host. Authorities add up; client certificates come from the first
 * folder that has any, so that the user's own goes before the machine's.
 */
export function hostCertificates(folders: readonly string[], names: readonly string[]): TlsFiles {
  const found = folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .filter((folder) => existsSync(folder))
    .map((folder) => certificateFolder(folder));
  return {
    authorities: found.flatMap(({ authorities }) => authorities),
    clients: found.find(({ clients }) => clients.length > 0)?.clients ?? [],
  };
}
