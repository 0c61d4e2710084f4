import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { RequestFilter } from '../../src/registry/index.ts';
import type { ServerLayer } from '../../src/registry/server/pipeline.ts';
import { reply, type Seen } from './scripted-server.ts';

export interface TokenServerOptions {
  /** Who may get tokens, `name: password`; anybody may have one to pull. */
  readonly users?: Readonly<Record<string, string>>;
  readonly refreshTokens?: readonly string[];
  /** Which of the two forms of the protocol it speaks. */
  readonly speaks?: readonly ('GET' | 'POST')[];
  /** What the token is called in its answer; `token` unless given. */
  readonly member?: 'token' | 'access_token';
  /** What it says of how long a token lives; nothing unless given. Seconds. */
  readonly expiresIn?: number;
  readonly filter?: RequestFilter | undefined;
}

export interface TokenServer {
  readonly url: string;
  readonly realm: string;
  readonly seen: readonly Seen[];
  /** All tokens that were given out, in order. */
  readonly issued: readonly string[];
  /** What is given to the scopes of a token; undefined for one that is not ours or was revoked. */
  scopesOf(authorization: string | undefined): readonly string[] | undefined;
  /** No token given out so far is good any more. */
  revokeAll(): void;
  close(): Promise<void>;
}

/** A token server (distribution, docs/spec/auth/token.md and oauth.md): opaque tokens, good until they are revoked. */
export async function tokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const { users = {}, refreshTokens = [], speaks = ['GET', 'POST'], member = 'token', expiresIn } = options;
  const seen: Seen[] = [];
  const issued: string[] = [];
  const good = new Map<string, readonly string[]>();

  const issue = (response: ServerResponse, known: boolean, scopes: readonly string[]): void => {
    const token = `t0k3n-${issued.length + 1}-c4n4ry`;
    issued.push(token);
    good.set(
      token,
      scopes.map((scope) => (known ? scope : pullOnly(scope))).filter((scope) => !scope.endsWith(':')),
    );
    const answer = { [member]: token, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) };
    reply(response, 200, { 'content-type': 'application/json' }, JSON.stringify(answer));
  };
  const refuse = (response: ServerResponse, status: number): void =>
    reply(
      response,
      status,
      { 'content-type': 'application/json' },
      '{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}',
    );
  const knows = (name: string, password: string): boolean => Object.hasOwn(users, name) && users[name] === password;

  const byGet = (url: URL, request: IncomingMessage, response: ServerResponse): void => {
    const given = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    const [name = '', password = ''] = Buffer.from(given ?? '', 'base64')
      .toString()
      .split(/:(.*)/s);
    if (given !== undefined && !knows(name, password)) return refuse(response, 401);
    issue(response, given !== undefined, url.searchParams.getAll('scope'));
  };
  const byPost = (body: string, response: ServerResponse): void => {
    const form = new URLSearchParams(body);
    const fine =
      form.get('grant_type') === 'refresh_token'
        ? refreshTokens.includes(form.get('refresh_token') ?? '')
        : form.get('grant_type') === 'password' && knows(form.get('username') ?? '', form.get('password') ?? '');
    if (!fine) return refuse(response, 401);
    issue(response, true, (form.get('scope') ?? '').split(' ').filter(Boolean));
  };

  const handle: RequestListener = (request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks) });
      if (!speaks.some((each) => each === method)) return refuse(response, 404);
      if (method === 'GET') byGet(new URL(url, 'http://t'), request, response);
      else byPost(Buffer.concat(chunks).toString(), response);
    })().catch(() => response.destroy());
  };
  const server = createServer(options.filter?.filter(handle) ?? handle);
  options.filter?.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    realm: `${url}/token`,
    seen,
    issued,
    scopesOf: (authorization) => good.get(/^Bearer (.*)$/.exec(authorization ?? '')?.[1] ?? ''),
    revokeAll: () => good.clear(),
    close: async () => {
      options.filter?.release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pullOnly(scope: string): string {
  const at = scope.lastIndexOf(':') + 1;
  return (
    scope.slice(0, at) +
    scope
      .slice(at)
      .split(',')
      .filter((action) => action === 'pull')
      .join(',')
  );
}

/** Lets only those into a registry who have a token of `issuer` for what they do. */
export function tokenLayer(issuer: TokenServer): ServerLayer {
  return async ({ request, response, endpoint, query }, next) => {
    const wanted = wantedScope(endpoint?.action, endpoint?.name);
    const scopes = issuer.scopesOf(request.headers.authorization);
    const fine = scopes !== undefined && (wanted === undefined || scopes.some((scope) => covers(scope, wanted)));
    if (fine) {
      const source = query.get('from');
      // a mount that may not be is an ordinary upload
      if (source !== null && !scopes.some((scope) => covers(scope, `repository:${source}:pull`))) query.delete('mount');
      return next();
    }
    const error =
      request.headers.authorization === undefined
        ? ''
        : `,error="${scopes === undefined ? 'invalid_token' : 'insufficient_scope'}"`;
    const scope = wanted === undefined ? '' : `,scope="${wanted}"`;
    reply(
      response,
      401,
      { 'www-authenticate': `Bearer realm="${issuer.realm}",service="registry.test"${scope}${error}` },
      '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
    );
  };
}

function wantedScope(action: string | undefined, name: string | undefined): string | undefined {
  if (action === 'catalog') return 'registry:catalog:*';
  if (action === 'pull') return `repository:${name ?? ''}:pull`;
  if (action === 'push') return `repository:${name ?? ''}:pull,push`;
  return action === 'delete' ? `repository:${name ?? ''}:*` : undefined;
}

function covers(scope: string, wanted: string): boolean {
  const [at, ofWanted] = [scope.lastIndexOf(':'), wanted.lastIndexOf(':')];
  if (scope.slice(0, at) !== wanted.slice(0, ofWanted)) return false;
  const actions = scope.slice(at + 1).split(',');
  return wanted
    .slice(ofWanted + 1)
    .split(',')
    .every((action) => actions.includes(action));
}
