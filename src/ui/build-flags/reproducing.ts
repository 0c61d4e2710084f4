import { boolean } from '@oclif/core/flags';
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
} as const;

export interface ReproducingFlags {
  readonly reproducible: boolean;
  readonly 'verify-reproducible': boolean;
}

export function reproducingOf(flags: ReproducingFlags): Pick<BuildRequest, 'reproducible' | 'verifyReproducible'> {
  const verifyReproducible = flags['verify-reproducible'];
  return { reproducible: flags.reproducible || verifyReproducible, verifyReproducible };
}

/** SOURCE_DATE_EPOCH of the environment is a build argument, unless one is given. */
export function withEpoch(
  buildArgs: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const { SOURCE_DATE_EPOCH: epoch } = environment;
  return epoch === undefined || epoch === '' ? buildArgs : { SOURCE_DATE_EPOCH: epoch, ...buildArgs };
}
