import { boolean, string } from '@oclif/core/flags';
import type { BuildRequest } from '../../build/index.ts';

/** What makes the same image of the same sources, and what proves that it does. */
export const reproducingFlags = {
  reproducible: boolean({
    description:
      'Make the same image of the same sources, bit for bit; SOURCE_DATE_EPOCH does too, and says which time to take for now',
    default: false,
  }),
  'verify-reproducible': boolean({
    description: 'Build twice without the cache, and fail with the files that differ; implies --reproducible',
    default: false,
  }),
  locked: boolean({
    description: 'Use the digests, commits and checksums of the lock file, and nothing that it does not have',
    default: false,
  }),
  'lock-file': string({
    description: 'The lock file; slipway.lock.json in the context unless given',
    helpValue: 'FILE',
  }),
  'source-policy-file': string({
    description: "What the build may be made of, in the JSON form of BuildKit's source policies",
    env: 'EXPERIMENTAL_BUILDKIT_SOURCE_POLICY',
    helpValue: 'FILE',
  }),
} as const;

export interface ReproducingFlags {
  readonly reproducible: boolean;
  readonly 'verify-reproducible': boolean;
  readonly locked: boolean;
  readonly 'lock-file'?: string | undefined;
  readonly 'source-policy-file'?: string | undefined;
}

export function reproducingOf(
  flags: ReproducingFlags,
): Pick<BuildRequest, 'reproducible' | 'verifyReproducible' | 'policy'> {
  const verifyReproducible = flags['verify-reproducible'];
  const policy = { file: flags['source-policy-file'], locked: flags.locked, lockFile: flags['lock-file'] };
  return { reproducible: flags.reproducible || verifyReproducible, verifyReproducible, policy };
}

/** SOURCE_DATE_EPOCH of the environment is a build argument, unless one is given. */
export function withEpoch(
  buildArgs: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const { SOURCE_DATE_EPOCH: epoch } = environment;
  return epoch === undefined || epoch === '' ? buildArgs : { SOURCE_DATE_EPOCH: epoch, ...buildArgs };
}
