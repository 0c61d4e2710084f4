import { writeFile } from 'node:fs/promises';
import type { BakeResults, BuildMetadata, BuildResult } from '../build/index.ts';
import { messageOf, UsageError } from '../errors.ts';
import { toJson } from './json.ts';

export interface ResultFiles {
  readonly iidfile: string | undefined;
  readonly 'metadata-file': string | undefined;
}

/**
 * `--iidfile` and `--metadata-file`. As with buildx, there is no id where only trees were written.
 * @throws UsageError, with exit status 1: the image is there
 */
export async function writeResultFiles(files: ResultFiles, result: BuildResult): Promise<void> {
  if (files.iidfile !== undefined) await write(files.iidfile, result.hasImage ? result.imageId : '', 'id');
  const metadata = files['metadata-file'];
  if (metadata !== undefined) await write(metadata, `${toJson(metadataOf(result))}\n`, 'metadata');
}

/** What `--metadata-file` gets of a build; warnings where BUILDX_METADATA_WARNINGS asks for them, as buildx has it. */
export function metadataOf({ metadata, warnings }: Pick<BuildResult, 'metadata' | 'warnings'>): BuildMetadata {
  if (!/^(?:1|t|true)$/i.test(process.env['BUILDX_METADATA_WARNINGS'] ?? '')) return metadata;
  const found = warnings.map(({ message, line }) => ({
    level: 1,
    short: Buffer.from(message).toString('base64'),
    ...(line === undefined ? {} : { range: [{ start: { line }, end: { line } }] }),
  }));
  return { ...metadata, 'buildx.build.warnings': found };
}

/** `--metadata-file` of bake: what each target made. @throws UsageError, as `writeResultFiles` */
export async function writeBakeMetadata(file: string, results: BakeResults): Promise<void> {
  const byTarget = Object.fromEntries([...results].map(([name, result]) => [name, metadataOf(result)]));
  await write(file, `${toJson(byTarget)}\n`, 'metadata');
}

async function write(file: string, text: string, what: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new UsageError(`the image is built, but its ${what} cannot be written: ${messageOf(error)}`, { exitCode: 1 });
  }
}
