import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashSync } from 'bcryptjs';
import { openMemoryStorage, startRegistry } from '../../src/registry/index.ts';
import { openService } from '../../src/ui/registry-server/server-options.ts';

type Values = Parameters<typeof openService>[0];

let folder: string;
let htpasswd: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-service-'));
  htpasswd = join(folder, 'htpasswd');
  await writeFile(htpasswd, `ann:${hashSync('wonder', 4)}\n`);
  await writeFile(join(folder, 'access'), '* pull public/*\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const none = {
  'anonymous-pull': false,
  'profile-create-on-push': false,
  'profile-blob-mounting': false,
  'profile-immutable-tags': false,
};
const service = (values: object) =>
  openService({ ...none, ...values } as unknown as Values, { storage: openMemoryStorage(), warn: () => {} });

describe('the flags of registry serve', () => {
  it.each([
    [{ access: 'x' }, '--access says nothing without users'],
    [{ 'anonymous-pull': true }, '--anonymous-pull says nothing without users'],
    [{ 'auth-token-cert': 'x' }, 'tokens of another server need --auth-token-realm and --auth-token-issuer'],
    [{ 'profile-pull-limit': 3 }, '--profile-pull-limit says nothing without --profile'],
    [{ profile: 'hub', auth: 'basic' }, '--profile hub has a login of its own'],
    [{ profile: 'hub', proxy: 'docker.io' }, '--profile and --proxy do not go together'],
    [{ proxy: 'https://ann:wonder@registry.example.com' }, "invalid --proxy: 'https://***@registry.example.com'"],
    [{ 'tls-cert': '/nothing/here', 'tls-key': '/nothing/there' }, 'cannot read /nothing/here'],
  ])('%j is refused', async (values, message) => {
    await expect(service(values)).rejects.toThrow(message);
  });

  it.each([
    [{}, false, [200, 404, 202]],
    [{ htpasswd: true }, true, [401, 401, 401]],
    [{ htpasswd: true, 'anonymous-pull': true }, true, [401, 404, 401]],
    [{ htpasswd: true, access: true }, true, [401, 401, 401]],
    [{ htpasswd: true, auth: 'token', 'anonymous-pull': true }, true, [401, 401, 401]],
    [{ profile: 'ecr' }, true, [401, 401, 401]],
    [{ profile: 'strict' }, false, [200, 404, 202]],
  ])('%j: what a stranger may do', async (values, hasLogin, statuses) => {
    const files = {
      ...('htpasswd' in values ? { htpasswd } : {}),
      ...('access' in values ? { access: join(folder, 'access') } : {}),
    };
    await using opened = await service({ ...values, ...files });
    await using server = await startRegistry(opened.options);
    const status = async (method: string, path: string) => (await fetch(`${server.url}/v2/${path}`, { method })).status;
    expect(opened.hasLogin).toBe(hasLogin);
    expect([
      await status('GET', ''),
      await status('GET', 'a/b/tags/list'),
      await status('POST', 'a/b/blobs/uploads/'),
    ]).toEqual(statuses);
  });
});
