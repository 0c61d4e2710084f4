import { integer } from '@oclif/core/flags';
import type { RegistrySettings } from '../../registry/index.ts';

/** How many connections carry blobs. The first two have docker's names (in dockerd's configuration). */
export const transferFlags = {
  'max-concurrent-downloads': integer({
    description: 'Blobs taken from a registry at once; 6 unless given',
    env: 'SLIPWAY_MAX_CONCURRENT_DOWNLOADS',
    min: 1,
    max: 64,
    helpValue: 'N',
  }),
  'max-concurrent-uploads': integer({
    description: 'Blobs sent to registries at once; 4 unless given',
    env: 'SLIPWAY_MAX_CONCURRENT_UPLOADS',
    min: 1,
    max: 64,
    helpValue: 'N',
  }),
  'blob-streams': integer({
    description: 'Connections for one blob of more than 64 MiB; 5 unless given',
    env: 'SLIPWAY_BLOB_STREAMS',
    min: 1,
    max: 8,
    helpValue: 'N',
  }),
} as const;

export interface TransferValues {
  readonly 'max-concurrent-downloads'?: number | undefined;
  readonly 'max-concurrent-uploads'?: number | undefined;
  readonly 'blob-streams'?: number | undefined;
}

export function transferSettings(values: TransferValues): RegistrySettings {
  return {
    downloads: values['max-concurrent-downloads'],
    uploads: values['max-concurrent-uploads'],
    parallelStreams: values['blob-streams'],
  };
}
