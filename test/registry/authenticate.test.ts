import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, afterEach, describe, expect, it } from '@jest/globals';
import { describe as describeContent, mediaTypes } from '../../src/oci/index.ts';
import {
  checkLogin,
  type Credential,
  listRepositories,
  openRepository,
  Registries,
  type RegistrySession,
  type RepositoryOptions,
} from '../../src/registry/index.ts';
import { quickSession } from './embedded.ts';
import { reply, type Script, type ScriptedServer, scriptedServer, type Seen } from './scripted-server.ts';

const blob = Buffer.from('hello');
const descriptor = describeContent(mediaTypes.ociLayer, blob);
const basic: Credential = { kind: 'basic', username: 'me', password: 'c4n4ry' };
const basicHeader = `Basic ${Buffer.from('me:c4n4ry').toString('base64')}`;

let session: RegistrySession;
const servers: ScriptedServer[] = [];

beforeAll(() => {
  session = quickSession();
});
afterAll(() => session.close());
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(script: Script): Promise<ScriptedServer> {
  const server = await scriptedServer(script);
  servers.push(server);
  return server;
}

const bearerChallenge = (realm: string, scope = 'repository:a/b:pull'): string =>
  `Bearer realm="${realm}",service="registry.test",scope="${scope}"`;

interface TokenSetup {
  /** Answers the token server gives, in order; the last stays. */
  readonly tokens?: readonly Record<string, unknown>[];
  /** The token the registry takes. */
  readonly accepts?: string;
  readonly tokenScript?: Script;
}

/** A registry that wants bearer tokens and the token server that gives them. */
async function tokenRegistry({ tokens = [{ token: 't1' }], accepts = 't1', tokenScript }: TokenSetup = {}) {
  const issuer = await serve(
    tokenScript ??
      ((_, response) => {
        const answer = tokens[Math.min(issuer.seen.length, tokens.length) - 1];
        reply(response, 200, { 'content-type': 'application/json' }, JSON.stringify(answer));
      }),
  );
  const state = { accepts };
  const registry = await serve((seen, response) => {
    if (seen.headers.authorization === `Bearer ${state.accepts}`) return reply(response, 200, {}, blob);
    const challenge = bearerChallenge(`${issuer.url}/token`);
    return reply(
      response,
      401,
      { 'www-authenticate': challenge },
      '{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}',
    );
  });
  const open = (options: RepositoryOptions = {}) => openRepository(`${registry.host}/a/b`, { session, ...options });
  return { issuer, registry, state, open };
}

const authorizations = (seen: readonly Seen[]): unknown[] => seen.map(({ headers }) => headers.authorization);

describe('a login', () => {
  it('keeps the refresh token where the token server gives one, which is asked for', async () => {
    const { issuer, registry } = await tokenRegistry({ tokens: [{ token: 't1', refresh_token: 'r1' }] });
    const saved = await checkLogin(registry.host, basic, { session });
    expect(saved).toEqual({ kind: 'identity-token', token: 'r1', username: 'me' });
    expect(issuer.seen[0]?.url).toContain('offline_token=true');
  });

  it('keeps the password where it gives none', async () => {
    const { registry } = await tokenRegistry();
    expect(await checkLogin(registry.host, basic, { session })).toEqual(basic);
  });
});

describe('whoever asks for a token', () => {
  it('gets the one that a request for the repository carries', async () => {
    const { issuer, registry } = await tokenRegistry();
    await using registries = new Registries({ credential: basic });
    const name = { registry: registry.host, repository: 'a/b' };
    expect(await registries.authorization(name, 'push')).toBe('Bearer t1');
    expect(issuer.seen.at(-1)?.url).toContain('pull%2Cpush');
  });
});

describe('Basic', () => {
  const script: Script = (seen, response) =>
    seen.headers.authorization === basicHeader
      ? reply(response, 200, {}, blob)
      : reply(response, 401, { 'www-authenticate': ['Negotiate', 'Basic realm="x"'] });

  it('is sent after the first challenge, and at once from then on', async () => {
    const registry = await serve(script);
    const target = openRepository(`${registry.host}/a/b`, { session, credential: basic });
    expect(await target.exists(descriptor)).toBe(true);
    expect(await target.exists(descriptor)).toBe(true);
    expect(authorizations(registry.seen)).toEqual([undefined, basicHeader, basicHeader]);
  });

  it('that is refused is not sent again and again', async () => {
    const registry = await serve(script);
    const wrong: Credential = { kind: 'basic', username: 'me', password: 'wrong!' };
    const target = openRepository(`${registry.host}/a/b`, { session, credential: wrong });
    const failure = target.resolve('v1');
    await expect(failure).rejects.toMatchObject({ code: 'UNAUTHORIZED', status: 401 });
    await expect(failure).rejects.not.toThrow('wrong!');
    expect(registry.seen.length).toBeLessThanOrEqual(4);
  });
});

describe('a bearer token', () => {
  it('is fetched for the scope, by GET without a credential', async () => {
    const { issuer, open } = await tokenRegistry();
    expect(await open({ credential: 'anonymous' }).exists(descriptor)).toBe(true);
    const [asked] = issuer.seen;
    const query = new URLSearchParams(asked?.url.split('?')[1]);
    expect(asked).toMatchObject({ method: 'GET' });
    expect(query.getAll('scope')).toEqual(['repository:a/b:pull']);
    expect(query.get('service')).toBe('registry.test');
    expect(asked?.headers.authorization).toBeUndefined();
  });

  it('is fetched by GET with Basic', async () => {
    const { issuer, open } = await tokenRegistry();
    await open({ credential: basic }).exists(descriptor);
    expect(issuer.seen[0]?.headers.authorization).toBe(basicHeader);
    expect(issuer.seen[0]?.url).toContain('account=me');
    expect(issuer.seen[0]?.url).not.toContain('c4n4ry');
  });

  it('is fetched by POST with an identity token', async () => {
    const { issuer, open } = await tokenRegistry({ tokens: [{ access_token: 't1' }] });
    await open({ credential: { kind: 'identity-token', token: 'r&t' } }).exists(descriptor);
    expect(issuer.seen[0]).toMatchObject({ method: 'POST', url: '/token' });
    const form = Object.fromEntries(new URLSearchParams(issuer.seen[0]?.body.toString()));
    expect(form).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'r&t',
      client_id: 'slipway',
      scope: 'repository:a/b:pull',
      service: 'registry.test',
    });
  });

  it('of the configuration is sent as it is', async () => {
    const { issuer, open } = await tokenRegistry();
    expect(await open({ credential: { kind: 'registry-token', token: 't1' } }).exists(descriptor)).toBe(true);
    expect(issuer.seen).toEqual([]);
  });

  it('is kept, and shared by requests at the same time', async () => {
    const { issuer, open } = await tokenRegistry();
    const target = open({ credential: basic });
    await Promise.all(Array.from({ length: 8 }, () => target.exists(descriptor)));
    await target.exists(descriptor);
    expect(issuer.seen).toHaveLength(1);
  });

  it('that the registry takes no longer is replaced by force', async () => {
    const { issuer, open, state } = await tokenRegistry({
      tokens: [{ token: 't1', expires_in: 3600 }, { token: 't2' }],
    });
    const target = open({ credential: basic });
    await target.exists(descriptor);
    state.accepts = 't2';
    expect(await target.exists(descriptor)).toBe(true);
    expect(issuer.seen).toHaveLength(2);
  });

  it('is renewed when its time is over', async () => {
    const { issuer, registry, open } = await tokenRegistry({ tokens: [{ token: 't1', expires_in: 1 }] });
    const target = open({ credential: basic });
    await target.exists(descriptor);
    await session.clock.sleep(61_000);
    await target.exists(descriptor);
    expect(issuer.seen).toHaveLength(2);
    expect(authorizations(registry.seen)).toEqual([undefined, 'Bearer t1', 'Bearer t1']);
  });

  it('that does not help ends in an error', async () => {
    const { open, registry } = await tokenRegistry({ tokens: [{ token: 'no' }] });
    const target = open({ credential: basic });
    await expect(target.fetch(descriptor)).rejects.toMatchObject({ code: 'UNAUTHORIZED', serverCode: 'UNAUTHORIZED' });
    expect(registry.seen.length).toBeLessThanOrEqual(3);
  });

  it('for a push asks for both rights', async () => {
    const { issuer, open } = await tokenRegistry();
    await open({ credential: basic, access: 'push' }).exists(descriptor);
    expect(new URLSearchParams(issuer.seen[0]?.url.split('?')[1]).getAll('scope')).toEqual([
      'repository:a/b:pull,push',
    ]);
  });

  it('survives a token server in trouble', async () => {
    let asked = 0;
    const { open } = await tokenRegistry({
      tokenScript: (_, response) => (asked++ < 2 ? reply(response, 503) : reply(response, 200, {}, '{"token":"t1"}')),
    });
    expect(await open({ credential: basic }).exists(descriptor)).toBe(true);
  });

  const broken: readonly (readonly [string, Script, string])[] = [
    ['that refuses', (_, response) => reply(response, 401, {}, '{"details":"incorrect username"}'), 'UNAUTHORIZED'],
    ['that sends HTML', (_, response) => reply(response, 200, {}, '<html>c4n4ry'), 'BAD_RESPONSE'],
    ['that sends no token', (_, response) => reply(response, 200, {}, '{"tok":"c4n4ry"}'), 'BAD_RESPONSE'],
    ['that sends a header', (_, response) => reply(response, 200, {}, '{"token":"c4n4ry\\r\\nx: y"}'), 'BAD_RESPONSE'],
    ['that sends 2 MiB', (_, response) => reply(response, 200, {}, `{"token":"${'x'.repeat(2 ** 21)}"}`), 'TOO_LARGE'],
    [
      'that redirects elsewhere',
      (_, response) => reply(response, 307, { location: 'http://127.0.0.1:1/' }),
      'REDIRECT_REFUSED',
    ],
  ];
  it.each(broken)('from a server %s is an error', async (_, tokenScript, code) => {
    const { open } = await tokenRegistry({ tokenScript });
    const failure = open({ credential: basic }).exists(descriptor);
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.not.toThrow('c4n4ry');
  });

  it('is not asked of a realm that may not have the credential', async () => {
    const registry = await serve((_, response) =>
      reply(response, 401, { 'www-authenticate': bearerChallenge('https://evil.example.net/token') }),
    );
    const target = openRepository(`${registry.host}/a/b`, { session, credential: basic });
    await expect(target.exists(descriptor)).rejects.toMatchObject({ code: 'REALM_REFUSED' });
  });

  it('is asked for the scheme of /v2/ where a 401 names none', async () => {
    const issuer = await serve((_, response) => reply(response, 200, {}, '{"token":"t1"}'));
    const registry = await serve((seen, response) => {
      if (seen.headers.authorization === 'Bearer t1') return reply(response, 200, {}, blob);
      const named = seen.url === '/v2/' ? { 'www-authenticate': `Bearer realm="${issuer.url}/token"` } : {};
      return reply(response, 401, named);
    });
    const target = openRepository(`${registry.host}/a/b`, { session, credential: 'anonymous' });
    expect(await target.exists(descriptor)).toBe(true);
    expect(issuer.seen[0]?.url).toBe('/token?scope=repository%3Aa%2Fb%3Apull');
  });

  it('for a mount covers the source', async () => {
    const { issuer, open, registry } = await tokenRegistry();
    const from = openRepository(`${registry.host}/c/d`, { session, credential: 'anonymous' });
    await open({ credential: basic }).mount(descriptor, from);
    expect(new URLSearchParams(issuer.seen[0]?.url.split('?')[1]).getAll('scope')).toEqual([
      'repository:a/b:pull,push',
      'repository:c/d:pull',
    ]);
  });
});

describe('checkLogin', () => {
  it('takes what the registry takes', async () => {
    const { registry, issuer } = await tokenRegistry();
    await checkLogin(registry.host, basic, { session });
    expect(registry.seen.map(({ url }) => url)).toEqual(['/v2/', '/v2/']);
    expect(issuer.seen[0]?.headers.authorization).toBe(basicHeader);
  });

  it('says what the registry does not take', async () => {
    const registry = await serve((_, response) => reply(response, 401, { 'www-authenticate': 'Basic realm="x"' }));
    await expect(checkLogin(registry.host, basic, { session })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});

it('listRepositories asks for the catalog', async () => {
  const registry = await serve((_, response) => reply(response, 200, {}, '{"repositories":["a","b/c"]}'));
  expect(await listRepositories(registry.host, { session, credential: 'anonymous' })).toEqual(['a', 'b/c']);
});

it('a token that nobody waits for any more may fail, and brings nothing down', async () => {
  const program = fileURLToPath(new URL('abandoned-token.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(stdout).toBe('interrupted');
});
