import { DockerfileError } from '../error.ts';
import { quote } from '../quote.ts';

/**
 * The name of a heredoc as that of a file. It becomes one in a folder of the builder's: `<<../../etc/x` must not leave it.
 * @throws DockerfileError INVALID_ARGUMENT
 */
export function checkInlineName(name: string): string {
  const bare = name.replace(/^\/+/, '');
  if (
    bare !== '' &&
    bare !== '.' &&
    bare !== '..' &&
    !bare.includes('/') &&
    !bare.includes('\u0000') &&
    bare.length <= 255
  )
    return bare;
  throw new DockerfileError('INVALID_ARGUMENT', `a heredoc called ${quote(name)} cannot be a file`, {
    hint: 'a name without slashes can',
  });
}
