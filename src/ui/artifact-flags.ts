import { string } from '@oclif/core/flags';
import type { ArtifactContent, ArtifactFile } from '../build/index.ts';
import { UsageError } from '../errors.ts';
import { epochOf } from './edit-flags.ts';
import { listFlag } from './flags.ts';
import { namedValues } from './named-values.ts';

export const artifactTypeFlag = string({ description: 'Type of the artifact', helpValue: 'TYPE' });

/** What an artifact is made of. */
export const artifactFlags = {
  'artifact-type': artifactTypeFlag,
  annotation: listFlag({ char: 'a', description: 'Annotate the manifest', helpValue: 'KEY=VALUE' }),
  config: string({ description: 'A config in place of the empty one', helpValue: 'FILE[:TYPE]' }),
};

export interface ArtifactValues {
  readonly 'artifact-type'?: string | undefined;
  readonly annotation?: readonly string[] | undefined;
  readonly config?: string | undefined;
}

/** @throws UsageError */
export function artifactContent(files: readonly string[], flags: ArtifactValues): ArtifactContent {
  return {
    files: files.map(fileWithType),
    artifactType: flags['artifact-type'] && mediaType(flags['artifact-type']),
    config: flags.config === undefined ? undefined : fileWithType(flags.config),
    annotations: flags.annotation && namedValues('annotation', flags.annotation),
    epoch: epochOf(),
  };
}

/** `FILE[:TYPE]`: a type has a slash, and no path has a colon before its last one that a type would not have. */
function fileWithType(text: string): ArtifactFile {
  const [, path, type] = /^(.+):([a-z]+\/[^:/]+)$/i.exec(text) ?? [];
  return path === undefined || type === undefined ? { path: text } : { path, mediaType: mediaType(type) };
}

function mediaType(text: string): string {
  if (/^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}(?:\s*;.*)?$/i.test(text)) return text;
  throw new UsageError(`not a media type: ${JSON.stringify(text)}`, {
    hint: 'such as application/vnd.example.sbom.v1+json',
  });
}
