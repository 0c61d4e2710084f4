import { formatPlatform, parsePlatform, type Platform } from '../oci/index.ts';
import { listFlag } from './flags.ts';

/** `--platform a,b`, which may also be repeated. */
export const platformsFlag = listFlag({
  delimiter: ',',
  description: 'Platform of the image; several, with commas, make an index',
  helpValue: 'os/arch[/variant]',
});

/**
 * The platforms that were given, each once.
 * @throws OciError INVALID_PLATFORM
 */
export function parsePlatforms(words: readonly string[] = []): Platform[] {
  return [...new Map(words.map(parsePlatform).map((platform) => [formatPlatform(platform), platform])).values()];
}
