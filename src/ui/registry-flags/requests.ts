import { integer, string } from '@oclif/core/flags';
import type { RegistrySettings } from '../../registry/index.ts';
import { UsageError } from '../../errors.ts';
import { parseSize } from '../size.ts';
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
  'retry-delay': string({
    description: 'Longest wait before the second try, doubled with each further one; 250ms unless given',
    env: 'SLIPWAY_RETRY_DELAY',
    helpValue: 'DURATION',
  }),
  'retry-max-delay': string({
    description: 'Longest wait between two tries; 30s unless given',
    env: 'SLIPWAY_RETRY_MAX_DELAY',
    helpValue: 'DURATION',
  }),
  'max-retry-after': string({
    description: 'Longest pause that a registry may ask for; 5m unless given',
    env: 'SLIPWAY_MAX_RETRY_AFTER',
    helpValue: 'DURATION',
  }),
  timeout: string({
    description: 'Give up when all is not done within this time',
    env: 'SLIPWAY_TIMEOUT',
    helpValue: 'DURATION',
  }),
  'limit-rate': string({
    description: 'Most bytes a second of all transfers with registries together, such as 500k or 10m',
    env: 'SLIPWAY_LIMIT_RATE',
    helpValue: 'BYTES',
  }),
  'connections-per-host': integer({
    description: 'Most connections to one registry; 8 unless given',
    env: 'SLIPWAY_CONNECTIONS_PER_HOST',
    min: 1,
    max: 256,
    helpValue: 'N',
  }),
} as const;

export interface RequestSettingValues {
  readonly retry?: number | undefined;
  readonly 'connect-timeout'?: string | undefined;
  readonly 'headers-timeout'?: string | undefined;
  readonly 'stall-timeout'?: string | undefined;
  readonly 'retry-delay'?: string | undefined;
  readonly 'retry-max-delay'?: string | undefined;
  readonly 'max-retry-after'?: string | undefined;
  readonly 'limit-rate'?: string | undefined;
  readonly 'connections-per-host'?: number | undefined;
}

/** `--timeout` is not among them: it ends the whole command, not only what is asked of registries. */
export function requestSettings(values: RequestSettingValues): RegistrySettings {
  return {
    attempts: values.retry === undefined ? undefined : values.retry + 1,
    connectTimeout: milliseconds(values['connect-timeout']),
    headersTimeout: milliseconds(values['headers-timeout']),
    stallTimeout: milliseconds(values['stall-timeout']),
    retryDelay: milliseconds(values['retry-delay']),
    retryMaxDelay: milliseconds(values['retry-max-delay']),
    maxRetryAfter: milliseconds(values['max-retry-after']),
    limitRate: rate(values['limit-rate']),
    connections: values['connections-per-host'],
  };
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

function bytes(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseSize(text);
}

/** @throws UsageError */
function rate(text: string | undefined): number | undefined {
  const perSecond = bytes(text);
  if (perSecond === 0) throw new UsageError('nothing would ever move at --limit-rate 0');
  return perSecond;
}
