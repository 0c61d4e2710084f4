import { UsageError } from '../errors.ts';
import { formatPlatform, parsePlatform, type Platform } from '../oci/index.ts';
import { listFlag } from './flags.ts';

/** `--platform a,b`, which may also be repeated. */
export const platformsFlag = listFlag({
  delimiter: ',',
  description: 'Platform of the image; several, with commas, for --print=graph',
  helpValue: 'os/arch[/variant]',
});

/**
 * The platforms that were given, each once.
 * @throws OciError INVALID_PLATFORM
 */
export function parsePlatforms(words: readonly string[] = []): Platform[] {
  return [...new Map(words.map(parsePlatform).map((platform) => [formatPlatform(platform), platform])).values()];
}

/**
 * The platform of what is made for one alone; undefined where none was given.
 * @throws UsageError for several
 */
export function onlyPlatform(platforms: readonly Platform[]): Platform | undefined {
  const [first, second] = platforms;
  if (second === undefined) return first;
  const names = platforms.map(formatPlatform).join(',');
  throw new UsageError(`--platform ${names}: a build makes one platform so far`, {
    hint: 'build them one by one; --print=graph shows the graph of all',
  });
}
