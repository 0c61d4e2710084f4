import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseReference } from '../../oci/index.ts';
import { BuildError } from '../error.ts';
import type { BuildRequest } from '../request.ts';
import { askedOutputs } from './asked-outputs.ts';
import { type ArchiveOutput, type BuildOutput, type ImageOutput, isImageOutput, type TreeOutput } from './output.ts';

/**
 * Refuses outputs that cannot work, before any step is done.
 * @throws BuildError OUTPUT_INVALID
 */
export function checkOutputs(
  request: Pick<BuildRequest, 'outputs' | 'push' | 'tags' | 'annotations'>,
  isIndex: boolean,
): void {
  const { tags } = request;
  const outputs = askedOutputs(request);
  const images = outputs.filter(isImageOutput);
  for (const output of images) checkNames(output, tags);
  for (const output of outputs) {
    if ('form' in output && output.form.mediaTypes === 'docker' && output.form.annotations.length > 0)
      throw new BuildError(
        'OUTPUT_INVALID',
        `${titleOf(output)}: manifests with docker media types have no annotations`,
        {
          exitCode: 125,
          hint: 'leave oci-mediatypes=false away',
        },
      );
    if ('destination' in output) checkDestination(output);
    if (output.type === 'docker' && isIndex) {
      throw new BuildError(
        'OUTPUT_INVALID',
        `${titleOf(output)}: a docker archive holds one platform, this build makes several`,
        {
          exitCode: 125,
          hint: 'use type=oci for an archive of all, or build one platform with --platform',
        },
      );
    }
  }
  const streams = outputs.filter((output) => 'destination' in output && output.destination === '-');
  if (streams.length > 1) throw impossible('only one output can go to standard output');
}

function checkNames(output: ImageOutput, tags: readonly string[]): void {
  const names = output.names.length > 0 ? output.names : tags;
  if (output.push && names.length === 0) throw unnamed();
  if (!output.byDigest) return;
  const tagged = names.find((name) => parseReference(name, { keepUntagged: true }).tag !== undefined);
  if (tagged !== undefined)
    throw new BuildError('OUTPUT_INVALID', `can't push tagged ref ${tagged} by digest`, {
      exitCode: 125,
      hint: 'name the repository alone, without a tag',
    });
}

function unnamed(): BuildError {
  return new BuildError('OUTPUT_INVALID', 'tag is needed when pushing to registry', {
    exitCode: 125,
    hint: 'name the image with -t, or the output with name=',
  });
}

/** A folder cannot become a file, nor a file a folder. */
function checkDestination(output: ArchiveOutput | TreeOutput): void {
  const { type, destination } = output;
  if (destination === '-') {
    if (type === 'local') throw impossible('a folder cannot be written to standard output; type=tar can');
    return;
  }
  const asFolder = type === 'local' || ('asFolder' in output && output.asFolder);
  const isFolder = statSync(destination, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === true && !asFolder) throw impossible(`${destination} is a folder, type=${type} writes a file`);
  if (isFolder === false && asFolder) throw impossible(`${destination} is a file, the output is a folder`);
  for (let at = resolve(destination, '..'); ; at = dirname(at)) {
    const above = statSync(at, { throwIfNoEntry: false });
    if (above?.isDirectory() || at === dirname(at)) break;
    if (above !== undefined) throw impossible(`${at}, on the way to ${destination}, is not a folder`);
  }
  if ('mode' in output && output.mode === 'delete') refuseDangerous(resolve(destination));
}

/** `mode=delete` takes away what is there: never the folder that one works in, or one above it, whatever name leads there. */
function refuseDangerous(destination: string): void {
  if (!existsSync(destination)) return;
  const [here, there] = [`${realpathSync(process.cwd())}/`, realpathSync(destination)];
  if (here.startsWith(there === '/' ? '/' : `${there}/`))
    throw impossible(`mode=delete would delete ${destination}, which the working folder is in`);
}

function impossible(why: string): BuildError {
  return new BuildError('OUTPUT_INVALID', `cannot write the output: ${why}`);
}

/** An output as its user would know it again. */
export function titleOf(output: BuildOutput): string {
  const parts = [`type=${output.type}`];
  if ('names' in output && output.names.length > 0) parts.push(`name=${output.names.join(',')}`);
  if ('destination' in output) parts.push(`dest=${output.destination}`);
  return parts.join(',');
}
