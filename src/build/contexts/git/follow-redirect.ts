import { type GitRemote, gitRemote } from './remote.ts';

const probe = 'info/refs?service=git-upload-pack';

/** A remote with what may be shown to it. */
export interface AuthorizedRemote {
  readonly remote: GitRemote;
  readonly authorization: string | undefined;
}

/**
 * Where a repository that we are authorized for is in the end. git itself would follow redirects with our authorization, whoever they
 * lead to; so they are followed here first: within the origin the authorization stays, elsewhere it is left behind.
 */
export async function followRedirect(
  { remote, authorization }: AuthorizedRemote,
  signal: AbortSignal | undefined,
): Promise<AuthorizedRemote> {
  if (authorization === undefined || remote.origin === undefined) return { remote, authorization };
  const { discardBody, fetchUrl } = await import('../../../registry/index.ts');
  const base = remote.url.replace(/\/$/, '');
  const response = await fetchUrl(new URL(`${base}/${probe}`), {
    headers: { authorization, 'git-protocol': 'version=2' },
    signal,
  });
  await discardBody(response);
  const { href, origin } = response.url;
  // Whatever else it is, git shall say so.
  if (!href.endsWith(`/${probe}`)) return { remote, authorization };
  const transport = response.url.protocol === 'https:' ? 'https' : 'http';
  const settled = gitRemote(transport, href.slice(0, -probe.length - 1));
  return { remote: settled, authorization: origin === remote.origin ? authorization : undefined };
}
