import { boolean, string } from '@oclif/core/flags';
import type { RegistrySettings } from '../../registry/index.ts';

/** Where credentials come from. */
export const credentialFlags = {
  authfile: string({
    description: 'Look for credentials in this file only; REGISTRY_AUTH_FILE is looked at first, and then the others',
    helpValue: 'FILE',
  }),
  'create-repository': boolean({
    description: 'Make a repository of Amazon ECR that is not there, before pushing to it',
    env: 'SLIPWAY_CREATE_REPOSITORY',
    default: false,
  }),
  'no-creds': boolean({ description: 'Send no credentials', default: false, exclusive: ['authfile'] }),
} as const;

export interface CredentialValues {
  readonly authfile?: string | undefined;
  readonly 'create-repository'?: boolean | undefined;
  readonly 'no-creds'?: boolean | undefined;
}

export function credentialSettings(values: CredentialValues): RegistrySettings {
  return {
    authFile: values.authfile,
    createRepository: values['create-repository'],
    credential: values['no-creds'] === true ? 'anonymous' : undefined,
  };
}
