import { decodePercent } from '../../dockerfile/index.ts';
import { BuildError } from '../error.ts';

/** What a build may show to servers so that they let it in. */
export interface RemoteAccess {
  /** A secret of the build (`--secret`) by its id; undefined where there is none. */
  secret(id: string): Promise<Uint8Array | undefined>;
  /** Socket of the agent whose keys a Dockerfile may use (`--ssh default`); undefined where none was given. */
  sshAgent(): Promise<string | undefined>;
}

/** Nothing is shown to anybody. */
export const noAccess: RemoteAccess = {
  secret: () => Promise.resolve(undefined),
  sshAgent: () => Promise.resolve(undefined),
};

/**
 * The value of an Authorization header from the first secret that there is. A file usually ends in a newline, which is no part of
 * it; a value with others in it would be further headers.
 */
export async function authorizationFrom(
  candidates: readonly { readonly id: string; readonly header: (secret: string) => string }[],
  access: RemoteAccess,
): Promise<string | undefined> {
  for (const { id, header } of candidates) {
    const bytes = await access.secret(id);
    if (bytes === undefined) continue;
    const value = Buffer.from(bytes)
      .toString('utf8')
      .replace(/\r?\n$/, '');
    if (/\p{Cc}/u.test(value))
      throw new BuildError('CONTEXT_INVALID', `the secret ${id} has more than one line, or what no header may have`);
    return header(value);
  }
  return undefined;
}

/** What the user info of a URL stands for, as it is written there. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${decodePercent(user)}:${decodePercent(password)}`).toString('base64')}`;
}
