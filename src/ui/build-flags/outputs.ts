import { boolean, string } from '@oclif/core/flags';
import { type BuildRequest, parseAnnotation, parseOutput } from '../../build/index.ts';
import { UsageError } from '../../errors.ts';
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
  provenance: string({ description: 'Only false: attestations are not made', helpValue: 'false' }),
  sbom: string({ description: 'Only false: attestations are not made', helpValue: 'false' }),
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
  readonly provenance: string | undefined;
  readonly sbom: string | undefined;
}

/**
 * What these flags ask of a build.
 * @throws BuildError OUTPUT_INVALID, OciError INVALID_PLATFORM, UsageError
 */
export function outputRequest(
  flags: OutputValues,
): Pick<BuildRequest, 'tags' | 'outputs' | 'push' | 'annotations' | 'squash' | 'platform' | 'platforms'> {
  const platforms = parsePlatforms(flags.platform);
  for (const name of ['provenance', 'sbom'] as const) refuseAttestation(name, flags[name]);
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

/** CI files switch attestations off everywhere; who wants one must hear that there is none. */
function refuseAttestation(name: string, value: string | undefined): void {
  if (value === undefined || /^(?:false|0|f)$/i.test(value)) return;
  throw new UsageError(`--${name}=${value}: attestations are not made`, { hint: `leave --${name} away` });
}
