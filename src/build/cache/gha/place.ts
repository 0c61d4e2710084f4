import type { ContentReader } from '../../../oci/index.ts';
import { BuildError } from '../../error.ts';
import { BackendTarget } from '../backend.ts';
import type { OpenPlace } from '../place.ts';
import { foreign } from '../read-cache.ts';
import type { GhaPlace } from '../request.ts';
import { GhaBackend } from './backend.ts';
import { CacheService } from './service.ts';

/** @throws BuildError CACHE_UNAVAILABLE outside of a job */
export async function openGhaPlace({ scope, url }: GhaPlace): Promise<OpenPlace> {
  const backend = new GhaBackend(serviceOf(url));
  return {
    target: new BackendTarget(backend, foreign),
    references: [scope],
    label: `${backend.label}, scope ${scope}`,
    source: `gha:${url ?? ''}`,
    forgets: true,
    [Symbol.asyncDispose]: async () => {},
  };
}

export function openGhaSource(source: string): ContentReader {
  const url = source.slice('gha:'.length);
  return new BackendTarget(new GhaBackend(serviceOf(url === '' ? undefined : url)), foreign);
}

function isTrue(value: string | undefined): boolean {
  return ['true', '1'].includes(value?.toLowerCase() ?? '');
}

function serviceOf(given: string | undefined): CacheService {
  const url = given ?? process.env['ACTIONS_RESULTS_URL'] ?? '';
  const token = process.env['ACTIONS_RUNTIME_TOKEN'] ?? '';
  if (given === undefined && process.env['ACTIONS_CACHE_URL'] && !isTrue(process.env['ACTIONS_CACHE_SERVICE_V2']))
    throw new BuildError('CACHE_UNAVAILABLE', 'this runner has version 1 of the cache service, which is not spoken');
  if (url !== '' && token !== '') return new CacheService(url, token);
  throw new BuildError(
    'CACHE_UNAVAILABLE',
    'there is no cache service here: ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN are not both set',
    {
      hint: 'type=gha works within a job of GitHub Actions that passes them on to its steps',
    },
  );
}
