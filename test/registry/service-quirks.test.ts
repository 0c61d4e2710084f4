import { afterAll, describe, expect, it } from '@jest/globals';
import { fetchBytes } from '../../src/oci/index.ts';
import {
  anyUser,
  basicAuth,
  type Credential,
  openMemoryStorage,
  openRepository,
  openTokenSigner,
  ownTokenAuth,
  plainAccess,
  ProtocolError,
  type RegistryServer,
  type ServerLayer,
  startRegistry,
  type Visit,
} from '../../src/registry/index.ts';
import { pushImage } from '../contracts/target-contract.ts';
import { quickSession } from './embedded.ts';

/** Ways in which services differ from the specification, one server each, and what our client makes of them. */
const session = quickSession();
afterAll(() => session.close());

const ann: Credential = { kind: 'basic', username: 'ann', password: 'secret' };
const closed = plainAccess({ anonymousPull: false });

interface Meeting {
  readonly server: RegistryServer;
  readonly seen: string[];
  readonly open: (name: string, credential?: Credential | 'anonymous') => ReturnType<typeof openRepository>;
}

async function meet(layers: readonly ServerLayer[], work: (meeting: Meeting) => Promise<void>): Promise<void> {
  const seen: string[] = [];
  await using server = await startRegistry({
    storage: openMemoryStorage(),
    layers,
    onRequest: ({ method, url, status }) => void seen.push(`${method} ${decodeURIComponent(url)} ${status}`),
  });
  const open: Meeting['open'] = (name, credential = ann) =>
    openRepository(`${server.host}/${name}`, { session, credential });
  await work({ server, seen, open });
}

function say({ request, response }: Visit, status: number, body: string, headers: Record<string, string> = {}): void {
  const type = body.startsWith('{') ? 'application/json' : 'text/html';
  response.writeHead(status, { 'content-type': type, 'content-length': `${Buffer.byteLength(body)}`, ...headers });
  response.end(request.method === 'HEAD' ? undefined : body);
  request.resume();
}

const tokens = (): ServerLayer =>
  ownTokenAuth({ users: anyUser, access: closed, signer: openTokenSigner(), issuer: 'them', services: ['them'] });

describe('GCR and Artifact Registry', () => {
  it('answer real requests with a bare 401: /v2/ says how they want to be asked', async () => {
    const bare: ServerLayer = async (visit, next) => {
      if (
        visit.endpoint?.route === 'ping' ||
        visit.request.headers.authorization !== undefined ||
        visit.path === '/token'
      )
        return next();
      return say(visit, 401, '');
    };
    await meet([bare, tokens()], async ({ open }) => {
      const image = await pushImage(open('a/b'), 'gcr');
      expect(await open('a/b').resolve(image.descriptor.digest)).toEqual(image.descriptor);
    });
  });

  it('list tags with more members than those of the specification', async () => {
    const list: ServerLayer = async (visit, next) =>
      visit.endpoint?.route === 'tags'
        ? say(
            visit,
            200,
            JSON.stringify({
              child: ['x'],
              manifest: { 'sha256:1': { tag: ['v1'] } },
              name: 'a/b',
              tags: ['v1', 'v2'],
            }),
          )
        : next();
    await meet([list], async ({ open }) => expect(await open('a/b').listTags()).toEqual(['v1', 'v2']));
  });

  it('delete no manifest that has tags, and say so', async () => {
    const dangling: ServerLayer = async (visit, next) => {
      if (visit.request.method !== 'DELETE') return next();
      return say(
        visit,
        400,
        '{"errors":[{"code":"GOOGLE_MANIFEST_DANGLING_TAG","message":"Manifest is still referenced by tag: v1"}]}',
      );
    };
    await meet([dangling], async ({ open }) => {
      const image = await pushImage(open('a/b'), 'dangling');
      const deleted = open('a/b').deleteManifest(image.descriptor.digest);
      await expect(deleted).rejects.toThrow(/GOOGLE_MANIFEST_DANGLING_TAG, Manifest is still referenced by tag: v1/);
    });
  });

  it.each(['oauth2accesstoken', '_json_key'])('take the user %s as any other', async (username) => {
    const names: string[] = [];
    const users = {
      ...anyUser,
      verify: async (user: string, password: string) => names.push(user) > 0 && password === '{"a": "b:c"}',
    };
    await meet([basicAuth({ users, access: closed })], async ({ open }) => {
      await pushImage(open('a/b', { kind: 'basic', username, password: '{"a": "b:c"}' }), 'login');
    });
    expect(new Set(names)).toEqual(new Set([username]));
  });
});

describe('ACR', () => {
  it('knows an upload no more after its connection broke: it is begun again', async () => {
    let broken = 0;
    const forgetful: ServerLayer = async (visit, next) => {
      const { endpoint, request } = visit;
      if (endpoint?.route !== 'upload' || broken > 1) return next();
      broken += 1;
      if (request.method === 'GET')
        throw new ProtocolError('BLOB_UPLOAD_INVALID', 'blob upload invalid', { status: 404 });
      request.socket.destroy();
    };
    await meet([forgetful], async ({ open, seen }) => {
      const image = await pushImage(open('a/b'), 'acr');
      expect(await fetchBytes(open('a/b'), image.layer)).toEqual(image.blobs[0]?.content);
      expect(seen.filter((line) => line.startsWith('POST')).length).toBeGreaterThan(2);
    });
  });

  it('takes an identity token by POST', async () => {
    await meet([tokens()], async ({ server, open, seen }) => {
      const answer = await fetch(`${server.url}/token?offline_token=true`, {
        headers: {
          authorization: `Basic ${Buffer.from('00000000-0000-0000-0000-000000000000:secret').toString('base64')}`,
        },
      });
      const { refresh_token: token } = (await answer.json()) as { refresh_token: string };
      await pushImage(open('a/b', { kind: 'identity-token', token }), 'identity');
      expect(seen).toContain('POST /token 200');
    });
  });
});

describe('Quay', () => {
  it('is never asked for a token with "delete" where a tag or manifest is deleted', async () => {
    const refusing: ServerLayer = async (visit, next) => {
      if (visit.path === '/token' && /[:,]delete(,|$)/.test(visit.query.getAll('scope').join(' ')))
        return say(visit, 400, '{}');
      return next();
    };
    const challenging: ServerLayer = async (visit, next) => {
      const writeHead = visit.response.writeHead.bind(visit.response) as (
        status: number,
        headers: Record<string, string>,
      ) => Visit['response'];
      visit.response.writeHead = ((status: number, headers: Record<string, string>) =>
        writeHead(
          status,
          status === 401
            ? { ...headers, 'www-authenticate': String(headers['www-authenticate']).replace(/:delete"/, ':*"') }
            : headers,
        )) as typeof visit.response.writeHead;
      return next();
    };
    await meet([challenging, refusing, tokens()], async ({ open }) => {
      const image = await pushImage(open('a/b'), 'quay');
      await open('a/b').deleteManifest(image.descriptor.digest);
    });
  });

  it('mounts only from a repository that is named, which we always do', async () => {
    await meet([], async ({ open, seen }) => {
      const source = open('from/x');
      const image = await pushImage(source, 'mount');
      expect(await open('to/x').mount(image.layer, source)).toBe(true);
      expect(seen.at(-1)).toMatch(/mount=sha256:[0-9a-f]+&from=from\/x 201$/);
    });
  });
});

describe('Harbor, JFrog, Nexus and proxies before them', () => {
  it('JFrog: HEAD of a manifest fails where GET does not', async () => {
    const headless: ServerLayer = async (visit, next) =>
      visit.request.method === 'HEAD' && visit.endpoint?.route === 'manifest' ? say(visit, 405, '') : next();
    await meet([headless], async ({ open }) => {
      const image = await pushImage(open('a/b'), 'jfrog');
      await open('a/b').tag(image.descriptor, 'v1');
      expect((await open('a/b').resolve('v1')).digest).toBe(image.descriptor.digest);
      expect(await open('a/b').exists(image.descriptor)).toBe(true);
    });
  });

  it('JFrog: POST of a token is 401 where GET gives one', async () => {
    const getOnly: ServerLayer = async (visit, next) =>
      visit.path === '/token' && visit.request.method === 'POST' ? say(visit, 401, '{}') : next();
    await meet([getOnly, tokens()], async ({ open }) => {
      await pushImage(open('a/b'), 'get');
    });
  });

  it('Nexus: 404 with a page instead of an error', async () => {
    const page: ServerLayer = async (visit) =>
      say(visit, 404, '<!DOCTYPE html><html><body><h1>404</h1>Not Found</body></html>');
    await meet([page], async ({ open }) => {
      await expect(open('a/b').resolve('v1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(open('a/b').listTags()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  it('Harbor: a project that one may not push to is 403, in its own words', async () => {
    const project: ServerLayer = async (visit, next) => {
      if (visit.request.method !== 'POST') return next();
      throw new ProtocolError('DENIED', 'unauthorized to access repository: a/b, action: push');
    };
    await meet([project], async ({ open }) => {
      await expect(pushImage(open('a/b'), 'harbor')).rejects.toThrow(
        /unauthorized to access repository: a\/b, action: push/,
      );
    });
  });

  it('a proxy takes the length from HEAD, and a manifest is taken with 202', async () => {
    const vague: ServerLayer = async (visit, next) => {
      const writeHead = visit.response.writeHead.bind(visit.response) as (
        status: number,
        headers: Record<string, string>,
      ) => Visit['response'];
      visit.response.writeHead = ((status: number, headers: Record<string, string>) => {
        const { method } = visit.request;
        if (method === 'PUT' && visit.endpoint?.route === 'manifest') return writeHead(202, headers);
        const { 'content-length': _, ...rest } = headers;
        return writeHead(status, method === 'HEAD' ? rest : headers);
      }) as typeof visit.response.writeHead;
      return next();
    };
    await meet([vague], async ({ open }) => {
      const image = await pushImage(open('a/b'), 'gitlab');
      expect((await open('a/b').describeBlob(image.layer.digest)).size).toBe(image.layer.size);
      expect(await open('a/b').resolve(image.descriptor.digest)).toEqual(image.descriptor);
    });
  });
});
