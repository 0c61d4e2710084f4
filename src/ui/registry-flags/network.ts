import { boolean, string } from '@oclif/core/flags';
import type { RegistrySettings } from '../../registry/index.ts';
import { listFlag } from '../flags.ts';
import { parseDuration } from '../time.ts';

/** How registries are reached, beside what the machine's files say. */
export const networkFlags = {
  'tls-verify': boolean({
    description:
      'Check the certificates of registries; with =false any certificate of the named ones is taken, and plain http where they speak no TLS. As registries.conf and its like say unless given',
    env: 'SLIPWAY_TLS_VERIFY',
  }),
  ca: listFlag({
    description: 'Trust the certificate authorities of this file too',
    env: 'SLIPWAY_CA',
    helpValue: 'FILE',
  }),
  'cert-dir': string({
    description: 'Folder with certificates for the named registries: *.crt authorities, *.cert and *.key our own',
    env: 'SLIPWAY_CERT_DIR',
    helpValue: 'DIR',
  }),
  resolve: listFlag({
    description: 'Reach a host and port at another address',
    env: 'SLIPWAY_RESOLVE',
    helpValue: 'HOST:PORT:ADDRESS[:PORT]',
  }),
  'registry-mirror': listFlag({
    description:
      'Ask this mirror first for repositories below a prefix; goes before those of registries.conf and its like',
    env: 'SLIPWAY_REGISTRY_MIRROR',
    helpValue: 'PREFIX=LOCATION',
  }),
  'mirror-timeout': string({
    description: 'Longest wait for a mirror that does not answer; 2s unless given',
    env: 'SLIPWAY_MIRROR_TIMEOUT',
    helpValue: 'DURATION',
  }),
} as const;

export interface NetworkValues {
  readonly 'tls-verify'?: boolean | undefined;
  readonly ca?: readonly string[] | undefined;
  readonly 'cert-dir'?: string | undefined;
  readonly resolve?: readonly string[] | undefined;
  readonly 'registry-mirror'?: readonly string[] | undefined;
  readonly 'mirror-timeout'?: string | undefined;
}

export function networkSettings(values: NetworkValues): RegistrySettings {
  const timeout = values['mirror-timeout'];
  return {
    tlsVerify: values['tls-verify'],
    ca: values.ca,
    certDir: values['cert-dir'],
    // a variable holds several, one after another
    resolve: values.resolve?.flatMap((text) => text.split(/[\s,]+/).filter((rule) => rule !== '')),
    mirrors: values['registry-mirror'],
    mirrorTimeout: timeout === undefined ? undefined : parseDuration(timeout),
  };
}
