import { integer, string } from '@oclif/core/flags';
import type { RegistrySettings } from '../../registry/index.ts';
import { parseDuration } from '../time.ts';

/** How often and how long a registry is asked. */
export const requestSettingFlags = {
  retry: integer({
    description: 'Try a request so often again after a failure that may pass; 5 unless given',
    env: 'SLIPWAY_RETRY',
    min: 0,
    max: 1000,
    helpValue: 'N',
  }),
  'connect-timeout': string({
    description: 'Longest wait for a connection to a registry; 10s unless given',
    env: 'SLIPWAY_CONNECT_TIMEOUT',
    helpValue: 'DURATION',
  }),
  'headers-timeout': string({
    description: 'Longest wait for the answer of a registry to begin; 60s unless given',
    env: 'SLIPWAY_HEADERS_TIMEOUT',
    helpValue: 'DURATION',
  }),
  'stall-timeout': string({
    description: 'A transfer that moves no byte for so long is begun again where it stopped; 30s unless given',
    env: 'SLIPWAY_STALL_TIMEOUT',
    helpValue: 'DURATION',
  }),
} as const;

export interface RequestSettingValues {
  readonly retry?: number | undefined;
  readonly 'connect-timeout'?: string | undefined;
  readonly 'headers-timeout'?: string | undefined;
  readonly 'stall-timeout'?: string | undefined;
}

export function requestSettings(values: RequestSettingValues): RegistrySettings {
  return {
    attempts: values.retry === undefined ? undefined : values.retry + 1,
    connectTimeout: milliseconds(values['connect-timeout']),
    headersTimeout: milliseconds(values['headers-timeout']),
    stallTimeout: milliseconds(values['stall-timeout']),
  };
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}
