import { boolean, string } from '@oclif/core/flags';
import { type BuildRequest, parseAnnotation, parseOutput } from '../../build/index.ts';
import { listFlag } from '../flags.ts';
import { parsePlatforms, platformsFlag } from '../platforms.ts';

/** Flags of `build` about what it makes and where that goes. */
export const outputFlags = {
  tag: listFlag({ char: 't', description: 'Name for the image', helpValue: 'NAME[:TAG]' }),
  platform: platformsFlag,
  output: listFlag({
    char: 'o',
    description: 'Where the result goes: type=oci|docker|tar|local|registry|image|cacheonly,dest=…',
    helpValue: 'OUTPUT',
  }),
  push: boolean({ description: 'Push to the registry of each name', default: false }),
  load: boolean({ description: 'Accepted for habit: the result is always in the store', default: false }),
  annotation: listFlag({
    description: 'Add an annotation to the manifest, or where TYPE says',
    helpValue: '[TYPE[PLATFORM],…:]KEY=VALUE',
  }),
  squash: boolean({ description: 'Make one layer of all that the build adds to its base', default: false }),
  iidfile: string({ description: 'Write the image id to a file', helpValue: 'FILE' }),
  'metadata-file': string({
    description: 'Write what was made to a JSON file, with the keys of buildx',
    helpValue: 'FILE',
  }),
};

export interface OutputValues {
  readonly tag: readonly string[] | undefined;
  readonly platform: readonly string[] | undefined;
  readonly output: readonly string[] | undefined;
  readonly push: boolean;
  readonly annotation: readonly string[] | undefined;
  readonly squash: boolean;
}

/**
 * What these flags ask of a build.
 * @throws BuildError OUTPUT_INVALID, OciError INVALID_PLATFORM
 */
export function outputRequest(
  flags: OutputValues,
): Pick<BuildRequest, 'tags' | 'outputs' | 'push' | 'annotations' | 'squash' | 'platform' | 'platforms'> {
  const platforms = parsePlatforms(flags.platform);
  return {
    tags: flags.tag ?? [],
    outputs: (flags.output ?? []).map(parseOutput),
    push: flags.push,
    annotations: (flags.annotation ?? []).flatMap((text) => parseAnnotation(text)),
    squash: flags.squash,
    platform: platforms[0],
    platforms,
  };
}
