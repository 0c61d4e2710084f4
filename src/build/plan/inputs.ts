import type { BuildInputs } from '../../dockerfile/index.ts';
import { hostPlatform, normalizePlatform } from '../../oci/index.ts';
import type { OpenContext } from '../contexts/main-context.ts';
import { kindOf, type NamedContexts } from '../contexts/named-contexts.ts';
import type { BuildRequest } from '../request.ts';

/** What of a build its Dockerfile's meaning depends on. */
export type MeaningRequest = Pick<BuildRequest, 'buildArgs' | 'target' | 'platform' | 'labels'>;

export interface OpenContexts {
  readonly context: Pick<OpenContext, 'ignore' | 'folder'>;
  readonly contexts: NamedContexts;
}

/** All that decides what a Dockerfile means in a build. */
export function inputsOf(request: MeaningRequest, { context, contexts }: OpenContexts): BuildInputs {
  const host = hostPlatform();
  return {
    buildArgs: request.buildArgs,
    ...(request.target === undefined ? {} : { target: request.target }),
    platform: normalizePlatform(request.platform ?? host),
    buildPlatform: host,
    labels: request.labels,
    contexts: Object.fromEntries([...contexts].map(([name, each]) => [name, kindOf(each)])),
    ignore: context.ignore,
    hasContext: context.folder !== undefined,
  };
}
