import { type CacheRequest, parseCacheFrom, parseCacheTo } from '../../build/index.ts';
import { listFlag } from '../flags.ts';

/** Where caches come from and go to. */
export const cacheFlags = {
  'cache-from': listFlag({
    description: 'Use a cache from elsewhere: an image name, or type=registry|local|s3|gha,…',
    helpValue: 'SOURCE',
  }),
  'cache-to': listFlag({
    description: 'Write the cache elsewhere: type=registry|local|inline|s3|gha,mode=min|max,…',
    helpValue: 'DESTINATION',
  }),
};

interface CacheValues {
  readonly 'cache-from': readonly string[] | undefined;
  readonly 'cache-to': readonly string[] | undefined;
}

/** @throws BuildError CACHE_OPTION_INVALID */
export function cacheRequest(flags: CacheValues): CacheRequest | undefined {
  const from = (flags['cache-from'] ?? []).flatMap(parseCacheFrom);
  const to = (flags['cache-to'] ?? []).flatMap(parseCacheTo);
  return from.length + to.length === 0 ? undefined : { from, to };
}
