import { boolean, string } from '@oclif/core/flags';
import { resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { RegistryStorage } from '../../registry/index.ts';
import { parseSize } from '../size.ts';

/** Where the embedded registry keeps its content. */
export const storageFlags = {
  storage: string({
    aliases: ['root'],
    description: 'Folder that holds its content: an OCI layout for each repository; made if it is not there',
    helpValue: 'DIR',
    exclusive: ['memory'],
  }),
  memory: boolean({ description: 'Keep all content in memory', default: false }),
  'memory-limit': string({
    description: 'Bytes that may be kept in memory; 1g unless given',
    dependsOn: ['memory'],
    helpValue: 'SIZE',
  }),
} as const;

export interface StorageValues {
  readonly storage?: string | undefined;
  readonly memory: boolean;
  readonly 'memory-limit'?: string | undefined;
}

/** @throws UsageError where neither a folder nor memory is named */
export async function openStorage(values: StorageValues, onNote: (note: string) => void): Promise<RegistryStorage> {
  const { storage, memory, 'memory-limit': limit } = values;
  const { openDiskStorage, openMemoryStorage } = await import('../../registry/index.ts');
  if (memory) return openMemoryStorage({ limit: limit === undefined ? undefined : parseSize(limit) });
  if (storage !== undefined) return openDiskStorage(resolve(storage), { onNote });
  throw new UsageError('nothing says where content is to be kept', {
    hint: 'Name a folder with --storage DIR, or use --memory.',
  });
}
