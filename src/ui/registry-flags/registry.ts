import type { RegistrySettings } from '../../registry/index.ts';
import { requestSettingFlags, requestSettings, type RequestSettingValues } from './requests.ts';
import { trustFlags, trustSettings, type TrustValues } from './trust.ts';

/** What every command that talks to a registry takes; each family is a file of this folder. */
export const registryFlags = { ...requestSettingFlags, ...trustFlags } as const;

export type RegistryValues = RequestSettingValues & TrustValues;

export function registrySettings(values: RegistryValues): RegistrySettings {
  return { ...requestSettings(values), ...trustSettings(values) };
}
