import type { RegistrySettings } from '../../registry/index.ts';
import { listFlag } from '../flags.ts';

/** Who may get a credential. */
export const trustFlags = {
  'trust-realm': listFlag({
    description: 'A token server on another domain than its registry that may get the credential',
    env: 'SLIPWAY_TRUST_REALM',
    helpValue: 'HOST[:PORT]',
  }),
} as const;

export interface TrustValues {
  readonly 'trust-realm'?: readonly string[] | undefined;
}

export function trustSettings(values: TrustValues): RegistrySettings {
  return { trustedRealms: values['trust-realm'] };
}
