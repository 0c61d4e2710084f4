import { boolean, string } from '@oclif/core/flags';
import type { InferredFlags } from '@oclif/core/interfaces';
import type { BuildRequest } from '../../build/index.ts';
import { isolationFlag, listFlag } from '../flags.ts';
import { namedValues } from '../named-values.ts';
import { type CommandSyntax, parseLine } from '../parse-flags.ts';
import { cacheFlags, cacheRequest } from './cache.ts';
import { confinementFlags, confinementOf } from './confinement.ts';
import { contextFlags, contextOf } from './context.ts';
import { mountFlags, mountsRequest } from './mounts.ts';
import { onErrorFlags, onErrorOf } from './on-error.ts';
import { outputFlags, outputRequest } from './outputs.ts';
import { reproducingFlags, reproducingOf, withEpoch } from './reproducing.ts';
import { historyOf } from './history.ts';
import { solvingFlags, solvingOf } from './solving.ts';

/** The flags of `build` that say what is built and how: all that a target of bake can say too. A new family belongs here. */
export const requestFlags = {
  file: string({ char: 'f', description: 'Path of the Dockerfile; - for standard input', helpValue: 'PATH' }),
  'build-arg': listFlag({
    description: 'Value of an ARG; without a value it comes from the environment',
    helpValue: 'NAME[=VALUE]',
  }),
  'build-context': listFlag({
    description: 'A folder, archive, git repository, URL, oci-layout://PATH or docker-image://NAME in place of a name',
    helpValue: 'NAME=VALUE',
  }),
  label: listFlag({ description: 'Add a label', helpValue: 'KEY=VALUE' }),
  target: string({ description: 'Stage to build', helpValue: 'STAGE' }),
  ...contextFlags,
  ...solvingFlags,
  ...reproducingFlags,
  pull: boolean({ description: 'Ask registries for newer base images', default: false }),
  isolation: isolationFlag,
  ...mountFlags,
  ...outputFlags,
  ...confinementFlags,
  ...cacheFlags,
  ...onErrorFlags,
};

export type RequestValues = InferredFlags<typeof requestFlags>;

/**
 * What these flags ask for.
 * @throws UsageError, and what the families throw
 */
export function requestOf(flags: RequestValues, context: string, stdin: BuildRequest['stdin']): BuildRequest {
  return {
    context,
    dockerfile: flags.file,
    stdin,
    buildArgs: withEpoch(namedValues('build-arg', flags['build-arg'], { environment: process.env }), process.env),
    labels: namedValues('label', flags.label, { emptyAllowed: true }),
    contexts: namedValues('build-context', flags['build-context']),
    target: flags.target,
    ...contextOf(flags),
    ...solvingOf(flags),
    ...reproducingOf(flags),
    pull: flags.pull,
    ...outputRequest(flags),
    isolation: flags.isolation,
    mounts: mountsRequest(flags),
    ...confinementOf(flags),
    history: historyOf(),
    cache: cacheRequest(flags),
    ...onErrorOf(flags, context),
  };
}

/**
 * The values of a line of these flags, as `build` would read it.
 * @throws UsageError
 */
export async function requestValues(line: readonly string[]): Promise<RequestValues> {
  const flags = requestFlags as unknown as CommandSyntax['flags'];
  const parsed = await parseLine(line, { flags, args: {}, strict: true, passThrough: false });
  return parsed.flags as unknown as RequestValues;
}
