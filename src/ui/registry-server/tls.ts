import { string } from '@oclif/core/flags';
import { readFile } from 'node:fs/promises';
import { messageOf, UsageError } from '../../errors.ts';
import type { ServerTls } from '../../registry/index.ts';

/** How the embedded registry speaks https. */
export const tlsFlags = {
  'tls-cert': string({
    description: 'Certificate and those that lead to a known one, PEM: speak https, with HTTP/2',
    dependsOn: ['tls-key'],
    helpValue: 'FILE',
  }),
  'tls-key': string({
    description: 'Private key of the certificate, PEM',
    dependsOn: ['tls-cert'],
    helpValue: 'FILE',
  }),
  'tls-client-ca': string({
    description: 'Take only clients with a certificate that one of these has signed, PEM',
    dependsOn: ['tls-cert'],
    helpValue: 'FILE',
  }),
} as const;

export interface TlsValues {
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly 'tls-client-ca'?: string | undefined;
}

/** Undefined for plain http. @throws UsageError where a file cannot be read */
export async function serverTls(values: TlsValues): Promise<ServerTls | undefined> {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-client-ca': clientCa } = values;
  if (cert === undefined || key === undefined) return undefined;
  return {
    cert: await readNamed(cert),
    key: await readNamed(key),
    clientCa: clientCa === undefined ? undefined : await readNamed(clientCa),
  };
}

/** A small file that a flag names. */
export async function readNamed(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${messageOf(error)}`);
  }
}
