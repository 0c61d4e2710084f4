import { boolean, string } from '@oclif/core/flags';
import type { RegistrySettings } from '../../registry/index.ts';

/** Where credentials come from. */
export const credentialFlags = {
  authfile: string({
    description: 'Look for credentials in this file only; REGISTRY_AUTH_FILE is looked at first, and then the others',
    helpValue: 'FILE',
  }),
  'no-creds': boolean({ description: 'Send no credentials', default: false, exclusive: ['authfile'] }),
} as const;

export interface CredentialValues {
  readonly authfile?: string | undefined;
  readonly 'no-creds'?: boolean | undefined;
}

export function credentialSettings(values: CredentialValues): RegistrySettings {
  return { authFile: values.authfile, credential: values['no-creds'] === true ? 'anonymous' : undefined };
}
