import { boolean, integer, option, string } from '@oclif/core/flags';
import { UsageError } from '../../errors.ts';
import type { DeletionRules, QuotaSettings, RegistryRules, UploadLimits } from '../../registry/index.ts';
import { parseSize } from '../size.ts';
import { parseDuration } from '../time.ts';

/** What clients of the embedded registry may do, and how much. */
export const ruleFlags = {
  'read-only': boolean({ description: 'Refuse all that writes or deletes', default: false }),
  delete: string({
    description: "What may be deleted: 'all', 'none', or some of tags,manifests,blobs",
    default: 'all',
    helpValue: 'WHAT',
  }),
  sparse: boolean({ description: 'Take manifests whose content is not all here', default: false }),
  'chunk-min-length': string({
    description: 'Bytes that each chunk of an upload but the last must have',
    helpValue: 'SIZE',
  }),
  'max-manifest': string({ description: 'Bytes of one manifest; 8m unless given', helpValue: 'SIZE' }),
  'max-blob': string({ description: 'Bytes of one blob; 64g unless given', helpValue: 'SIZE' }),
  'max-uploads': integer({ description: 'Uploads open at once; 256 unless given', min: 1, helpValue: 'N' }),
  'upload-timeout': string({
    description: 'An upload that nobody goes on with is dropped after so long; 1h unless given',
    helpValue: 'DURATION',
  }),
  quota: string({ description: 'Bytes of all repositories together', helpValue: 'SIZE' }),
  'repository-quota': string({ description: 'Bytes of one repository', helpValue: 'SIZE' }),
  'page-size': integer({
    description: 'Entries of a page of tags, repositories or referrers; 10000 unless given',
    min: 1,
    helpValue: 'N',
  }),
  metrics: boolean({ description: 'Tell Prometheus what happens, at /metrics', default: false }),
} as const;

export const accessLogFlag = option({
  options: ['common', 'json'] as const,
  description: 'Write a line for each request to standard error, as web servers do or as JSON',
  helpValue: 'FORMAT',
})();

export interface RuleValues {
  readonly 'read-only': boolean;
  readonly delete: string;
  readonly sparse: boolean;
  readonly 'chunk-min-length'?: string | undefined;
  readonly 'max-manifest'?: string | undefined;
  readonly 'max-blob'?: string | undefined;
  readonly 'max-uploads'?: number | undefined;
  readonly 'upload-timeout'?: string | undefined;
  readonly quota?: string | undefined;
  readonly 'repository-quota'?: string | undefined;
  readonly 'page-size'?: number | undefined;
  readonly metrics: boolean;
}

/** @throws UsageError */
export function serverRules(values: RuleValues): RegistryRules & QuotaSettings & UploadLimits {
  const timeout = values['upload-timeout'] === undefined ? undefined : parseDuration(values['upload-timeout']);
  return {
    readOnly: values['read-only'],
    deletion: deletionRules(values.delete),
    sparse: values.sparse,
    chunkMinLength: size(values['chunk-min-length']),
    largestManifest: size(values['max-manifest']),
    largestBlob: size(values['max-blob']),
    mostUploads: values['max-uploads'],
    idleTimeout: timeout,
    uploadAge: timeout,
    quota: size(values.quota),
    repositoryQuota: size(values['repository-quota']),
    pageSize: values['page-size'],
    metrics: values.metrics,
  };
}

function deletionRules(text: string): DeletionRules {
  const words = text === 'all' ? ['tags', 'manifests', 'blobs'] : text === 'none' ? [] : text.split(',');
  const wrong = words.find((word) => !['tags', 'manifests', 'blobs'].includes(word));
  if (wrong !== undefined) {
    throw new UsageError(`invalid --delete: '${text}'`, { hint: 'It is all, none, or some of tags,manifests,blobs.' });
  }
  return { tags: words.includes('tags'), manifests: words.includes('manifests'), blobs: words.includes('blobs') };
}

function size(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseSize(text);
}
