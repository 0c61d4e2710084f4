import type { RegistrySettings } from '../../registry/index.ts';
import { credentialFlags, credentialSettings, type CredentialValues } from './credentials.ts';
import { networkFlags, networkSettings, type NetworkValues } from './network.ts';
import { requestSettingFlags, requestSettings, type RequestSettingValues } from './requests.ts';
import { transferFlags, transferSettings, type TransferValues } from './transfers.ts';
import { trustFlags, trustSettings, type TrustValues } from './trust.ts';

/** What every command that talks to a registry takes; each family is a file of this folder. */
export const registryFlags = {
  ...credentialFlags,
  ...requestSettingFlags,
  ...transferFlags,
  ...networkFlags,
  ...trustFlags,
} as const;

export type RegistryValues = CredentialValues & RequestSettingValues & TransferValues & NetworkValues & TrustValues;

export function registrySettings(values: RegistryValues): RegistrySettings {
  return {
    ...credentialSettings(values),
    ...requestSettings(values),
    ...transferSettings(values),
    ...networkSettings(values),
    ...trustSettings(values),
  };
}
