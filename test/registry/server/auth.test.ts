import { rm, writeFile } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashSync } from 'bcryptjs';
import { digestOf } from '../../../src/oci/index.ts';
import { parseHtpasswd } from '../../../src/registry/server/auth/htpasswd.ts';
import {
  basicAuth,
  openHtpasswd,
  openMemoryStorage,
  openTokenSigner,
  ownTokenAuth,
  parseAccessList,
  parseTrustedKeys,
  plainAccess,
  type RegistryServer,
  startRegistry,
  tokenAuth,
  type Users,
} from '../../../src/registry/index.ts';
import { signedCertificate, type TestCertificate, testCertificate } from '../test-certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-auth-'));
const htpasswd = join(folder, 'htpasswd');
const lines = (passwords: Record<string, string>): string =>
  Object.entries(passwords)
    .map(([user, password]) => `${user}:${hashSync(password, 4).replace('$2b$', '$2y$')}\n`)
    .join('');

let users: Users;
let certificate: TestCertificate;

beforeAll(async () => {
  await writeFile(htpasswd, lines({ ann: 'wonder', ben: 'land' }));
  users = await openHtpasswd(htpasswd);
  certificate = testCertificate();
});
afterAll(async () => {
  certificate.close();
  await rm(folder, { recursive: true, force: true });
});

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const access = parseAccessList(
  `# who what where
ann     pull,push,delete  shop/*   # hers
ann     catalog
@users  push,pull         {user}/*
*       pull              public/**
`,
  'access',
);

async function ask(server: RegistryServer, method: string, path: string, authorization?: string) {
  const headers = authorization === undefined ? {} : { authorization };
  const response = await fetch(`${server.url}${path}`, { method, headers });
  const body = await response.text();
  return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '', body };
}

describe('a htpasswd file', () => {
  it.each([
    ['ann:$apr1$x$y', /line 1 of f cannot be used: its hash is not bcrypt/],
    ['# ann\nann', /line 2 of f .*NAME:HASH/],
    [`ann:$2y$31$${'a'.repeat(53)}`, /a cost of 31 is not taken/],
  ])('is refused: %j', (text, message) => {
    expect(() => parseHtpasswd(text, 'f')).toThrow(message);
  });

  it('takes $2a$, $2b$ and $2y$, comments and empty lines; the first line of a name rules', () => {
    const hash = 'a'.repeat(53);
    const text = `# users\n\nann:$2a$05$${hash}\r\nben:$2b$05$${hash}\nann:$2y$06$${hash}\n`;
    expect([...parseHtpasswd(text, 'f')]).toEqual([
      ['ann', `$2a$05$${hash}`],
      ['ben', `$2b$05$${hash}`],
    ]);
  });

  it('is read again when it changes; what cannot be read changes nothing', async () => {
    const file = join(folder, 'changing');
    const warnings: string[] = [];
    const second = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1010));
    await writeFile(file, lines({ ann: 'one' }));
    const changing = await openHtpasswd(file, (message) => warnings.push(message));
    const stamp = await changing.stamp('ann');
    await writeFile(file, lines({ ann: 'second' }));
    await second();
    expect([await changing.verify('ann', 'one'), await changing.verify('ann', 'second')]).toEqual([false, true]);
    expect(await changing.stamp('ann')).not.toBe(stamp);
    await writeFile(file, 'nonsense\n');
    await second();
    expect(await changing.verify('ann', 'second')).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/the users stay as they were: line 1/)]);
  });

  it('takes a right password for its user alone', async () => {
    const answers = [
      await users.verify('ann', 'wonder'),
      await users.verify('ann', 'wonder'),
      await users.verify('ben', 'wonder'),
      await users.verify('eve', 'wonder'),
      await users.verify('ann', ''),
      await users.verify('ann', 'x'.repeat(2000)),
    ];
    expect(answers).toEqual([true, true, false, false, false, false]);
  });
});

describe('an access list', () => {
  it.each([
    ['ann', 'push', 'shop/web', true],
    ['ann', 'catalog', '', true],
    ['ben', 'catalog', '', false],
    ['ben', 'push', 'shop/web', false],
    ['ben', 'push', 'ben/web', true],
    ['ben', 'delete', 'ben/web', false],
    ['ben', 'push', 'ann/web', false],
    ['*', 'push', 'ann/web', false],
    [undefined, 'pull', 'public/a/b', true],
    [undefined, 'push', 'public/a', false],
    [undefined, 'pull', 'publicity', false],
  ] as const)('%s may %s %s: %s', (user, action, repository, allowed) => {
    expect(access(user, action, repository)).toBe(allowed);
  });

  it.each([
    ['ann write x', "'write' is nothing that can be allowed"],
    ['ann pull a b', 'more than three words'],
    ['ann', "'' is nothing"],
  ])('is refused: %s', (text, message) => {
    expect(() => parseAccessList(text, 'list')).toThrow(message);
  });
});

describe('Basic authentication', () => {
  let server: RegistryServer;
  beforeAll(async () => {
    server = await startRegistry({ storage: openMemoryStorage(), layers: [basicAuth({ users, access })] });
  });
  afterAll(() => server.close());

  it.each([
    ['GET', '/v2/', undefined, 401],
    ['GET', '/v2/', basic('ann', 'wonder'), 200],
    ['GET', '/v2/', basic('ann', 'wrong'), 401],
    ['GET', '/v2/', basic('eve', 'wonder'), 401],
    ['GET', '/v2/', 'Basic !!!', 401],
    ['GET', '/v2/', 'Bearer abc', 401],
    ['GET', '/v2/public/x/tags/list', undefined, 404],
    ['GET', '/v2/public/x/tags/list', basic('ann', 'wrong'), 401],
    ['POST', '/v2/public/x/blobs/uploads/', undefined, 401],
    ['POST', '/v2/shop/x/blobs/uploads/', basic('ben', 'land'), 403],
    ['POST', '/v2/shop/x/blobs/uploads/', basic('ann', 'wonder'), 202],
    ['DELETE', '/v2/ben/x/manifests/v1', basic('ben', 'land'), 403],
    ['GET', '/v2/_catalog', basic('ben', 'land'), 403],
    ['GET', '/v2/_catalog', basic('ann', 'wonder'), 200],
    ['GET', '/nothing', undefined, 404],
  ] as const)('%s %s as %s is %i', async (method, path, authorization, status) => {
    const answer = await ask(server, method, path, authorization);
    expect(answer.status).toBe(status);
    expect(answer.challenge).toBe(status === 401 ? 'Basic realm="Slipway registry", charset="UTF-8"' : '');
  });

  it('mounts only from where one may pull', async () => {
    const content = Buffer.from('a blob of ann');
    const digest = digestOf(content);
    const push = await fetch(`${server.url}/v2/ann/x/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      headers: { authorization: basic('ann', 'wonder') },
      body: content,
    });
    expect(push.status).toBe(201);
    const mount = (user: string, password: string, to: string) =>
      ask(server, 'POST', `/v2/${to}/blobs/uploads/?mount=${digest}&from=ann/x`, basic(user, password));
    expect((await mount('ben', 'land', 'ben/x')).status).toBe(202);
    expect((await mount('ann', 'wonder', 'shop/x')).status).toBe(201);
  });
});

interface TokenAnswer {
  readonly token: string;
  readonly refresh_token?: string;
  readonly scope: string;
}

describe('tokens of its own', () => {
  let server: RegistryServer;
  const signer = openTokenSigner();
  beforeAll(async () => {
    const layer = ownTokenAuth({ users, access, signer, issuer: 'us', services: ['reg', 'other'] });
    server = await startRegistry({ storage: openMemoryStorage(), metrics: true, layers: [layer] });
  });
  afterAll(() => server.close());

  const token = async (query: string, authorization?: string): Promise<TokenAnswer> =>
    JSON.parse((await ask(server, 'GET', `/token?${query}`, authorization)).body) as TokenAnswer;
  const post = async (form: Record<string, string>) => {
    const response = await fetch(`${server.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, answer: (await response.json()) as TokenAnswer };
  };

  it('asks for a token, and says for what', async () => {
    const realm = `Bearer realm="${server.url}/token",service="reg"`;
    expect((await ask(server, 'GET', '/v2/')).challenge).toBe(realm);
    const push = await ask(server, 'POST', '/v2/shop/x/blobs/uploads/');
    expect(push).toMatchObject({ status: 401, challenge: `${realm},scope="repository:shop/x:pull,push"` });
    const wrong = await ask(server, 'GET', '/v2/_catalog', 'Bearer a.b.c');
    expect(wrong.challenge).toBe(`${realm},scope="registry:catalog:*",error="invalid_token"`);
  });

  it.each([
    ['ann', 'wonder', 'repository:shop/x:pull,push', 'repository:shop/x:pull,push'],
    ['ann', 'wonder', 'repository:shop/x:*', 'repository:shop/x:pull,push,delete,*'],
    ['ben', 'land', 'repository:shop/x:pull,push', ''],
    [
      'ben',
      'land',
      'repository:public/x:pull,push&scope=repository:ben/y:push',
      'repository:public/x:pull repository:ben/y:push',
    ],
    ['ben', 'land', 'repository:public/x:pull%20registry:catalog:*', 'repository:public/x:pull'],
    ['ann', 'wonder', 'registry:catalog:*', 'registry:catalog:*'],
    ['ann', 'wonder', 'repository::pull&scope=nonsense', ''],
  ])('gives %s (%s) of %s: %s', async (user, password, scope, granted) => {
    expect((await token(`service=reg&scope=${scope}`, basic(user, password))).scope).toBe(granted);
  });

  it('takes a token for what it grants, and asks for another one for more', async () => {
    const { token: value } = await token('service=reg&scope=repository:shop/x:pull,push', basic('ann', 'wonder'));
    const bearer = `Bearer ${value}`;
    expect((await ask(server, 'GET', '/v2/', bearer)).status).toBe(200);
    expect((await ask(server, 'POST', '/v2/shop/x/blobs/uploads/', bearer)).status).toBe(202);
    const more = await ask(server, 'DELETE', '/v2/shop/x/manifests/v1', bearer);
    expect(more).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/scope="repository:shop\/x:delete",error="insufficient_scope"$/),
    });
  });

  it('gives who names nobody what everybody may do', async () => {
    const { token: value, scope } = await token('scope=repository:public/x:pull,push');
    expect(scope).toBe('repository:public/x:pull');
    expect((await ask(server, 'GET', '/v2/public/x/tags/list', `Bearer ${value}`)).status).toBe(404);
  });

  it('gives nothing for a wrong password or an unknown service', async () => {
    expect((await ask(server, 'GET', '/token?service=reg', basic('ann', 'no'))).status).toBe(401);
    expect((await ask(server, 'GET', '/token?service=else', basic('ann', 'wonder'))).status).toBe(400);
    expect((await post({ grant_type: 'password', username: 'ann', password: 'no' })).status).toBe(401);
    expect((await post({ grant_type: 'cat' })).status).toBe(400);
  });

  it('gives refresh tokens, which are no access tokens and die with the password', async () => {
    const { refresh_token = '' } = await token('service=reg&offline_token=true', basic('ben', 'land'));
    const again = await post({ grant_type: 'refresh_token', refresh_token, scope: 'repository:ben/y:push' });
    expect(again.answer.scope).toBe('repository:ben/y:push');
    expect((await ask(server, 'GET', '/v2/', `Bearer ${refresh_token}`)).status).toBe(401);
    expect((await post({ grant_type: 'refresh_token', refresh_token: again.answer.token })).status).toBe(401);
    const form = { grant_type: 'password', username: 'ben', password: 'land', access_type: 'offline' };
    expect((await post(form)).answer.refresh_token).toBeDefined();
    const stamped = signer.sign({
      iss: 'us',
      aud: 'us refresh',
      sub: 'ben',
      exp: Date.now(),
      stamp: 'an older password',
    });
    expect((await post({ grant_type: 'refresh_token', refresh_token: stamped })).status).toBe(401);
  });

  it('lets Prometheus in by Basic', async () => {
    expect((await ask(server, 'GET', '/metrics')).status).toBe(401);
    expect((await ask(server, 'GET', '/metrics', basic('ben', 'land'))).status).toBe(403);
  });
});

describe('tokens of another server', () => {
  const claims = {
    iss: 'them',
    aud: 'reg',
    sub: 'eve',
    exp: Date.now() / 1000 + 300,
    access: [{ type: 'repository', name: 'a/b', actions: ['pull'] }],
  };
  let server: RegistryServer;
  let child: Pick<TestCertificate, 'pem'>;
  beforeAll(async () => {
    child = signedCertificate(certificate, 'signer');
    const trusted = parseTrustedKeys(certificate.pem.cert, 'ca.crt');
    const layer = tokenAuth({ issuer: 'them', service: 'reg', trusted, realm: () => 'https://auth.example.com/token' });
    server = await startRegistry({ storage: openMemoryStorage(), layers: [layer] });
  });
  afterAll(() => server.close());

  const own = () => openTokenSigner({ key: certificate.pem.key });
  const chained = () => openTokenSigner({ key: child.pem.key, certificate: child.pem.cert });
  it.each([
    ['signed with the key of the certificate', () => own().sign(claims), 404],
    ['signed with a key whose certificate it has signed', () => chained().sign(claims), 404],
    ['with several audiences', () => own().sign({ ...claims, aud: ['x', 'reg'] }), 404],
    ['signed with another key', () => openTokenSigner().sign(claims), 401],
    [
      'signed with the key of a certificate that is not sent',
      () => openTokenSigner({ key: child.pem.key }).sign(claims),
      401,
    ],
    ['of another issuer', () => own().sign({ ...claims, iss: 'others' }), 401],
    ['for another service', () => own().sign({ ...claims, aud: 'else' }), 401],
    ['that is too old', () => own().sign({ ...claims, exp: Date.now() / 1000 - 90 }), 401],
    ['that is not valid yet', () => own().sign({ ...claims, nbf: Date.now() / 1000 + 90 }), 401],
    ['that never ends', () => own().sign({ ...claims, exp: undefined }), 401],
    ['for another repository', () => own().sign({ ...claims, access: [{ ...claims.access[0], name: 'a/c' }] }), 401],
    ['whose access is nonsense', () => own().sign({ ...claims, access: [null, 7, { type: 'repository' }] }), 401],
    ['whose claims were changed', () => changed(own().sign(claims)), 401],
    ['without a signature', () => unsigned(claims), 401],
  ])('%s', async (_title, make, status) => {
    const answer = await ask(server, 'GET', '/v2/a/b/tags/list', `Bearer ${make()}`);
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.challenge).toContain('realm="https://auth.example.com/token",service="reg"');
  });

  it('takes the keys of a JSON Web Key Set', async () => {
    const signer = openTokenSigner();
    const trusted = parseTrustedKeys(Buffer.from(JSON.stringify(signer.keySet)), 'keys.json');
    const layer = tokenAuth({ issuer: 'them', service: 'reg', trusted, realm: () => 'https://auth.example.com/token' });
    await using other = await startRegistry({ storage: openMemoryStorage(), layers: [layer] });
    expect((await ask(other, 'GET', '/v2/a/b/tags/list', `Bearer ${signer.sign(claims)}`)).status).toBe(404);
    expect((await ask(other, 'GET', '/v2/a/b/tags/list', `Bearer ${own().sign(claims)}`)).status).toBe(401);
  });

  it.each([
    ['nothing', 'x', 'holds no key'],
    ['a broken certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'cannot be used'],
    ['broken JSON', '{', 'cannot be used'],
  ])('refuses a file with %s', (_title, text, message) => {
    expect(() => parseTrustedKeys(Buffer.from(text), 'keys.pem')).toThrow(message);
  });
});

it('users may do everything without a list, others nothing, or pull', () => {
  const closed = plainAccess({ anonymousPull: false });
  const open = plainAccess({ anonymousPull: true });
  expect([closed('ann', 'delete', 'a'), closed(undefined, 'pull', 'a'), open(undefined, 'pull', 'a')]).toEqual([
    true,
    false,
    true,
  ]);
  expect([open(undefined, 'push', 'a'), open(undefined, 'catalog', ''), open(undefined, 'metrics', '')]).toEqual([
    false,
    false,
    false,
  ]);
});

function changed(token: string): string {
  const [head, body = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  return [head, Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url'), signature].join('.');
}

function unsigned(claims: object): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ typ: 'JWT', alg: 'none' })}.${encode(claims)}.AAAA`;
}
