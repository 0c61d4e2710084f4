import { mkdir, mkdtemp, copyFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { collect, type Descriptor, digestOf } from '../../../src/oci/index.ts';
import { Configuration } from '../../../src/registry/config/configuration.ts';
import { openRepository, openSession, Registries, type RegistrySettings } from '../../../src/registry/index.ts';
import { debianRegistry, hasDebianRegistry } from '../debian-registry.ts';
import { pushImage } from '../made-images.ts';
import { embeddedRegistry, type EmbeddedRegistry } from '../embedded.ts';
import { reply, scriptedServer, type ScriptedServer } from '../scripted-server.ts';
import { type Issued, identity, testAuthority, type TestAuthority } from './authority.ts';
import { portOf, terminator, type Terminator } from './terminator.ts';

let folder: string;
let authority: TestAuthority;
let stranger: TestAuthority;
let server: Issued;
let client: Issued;
let registry: EmbeddedRegistry;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-tls-'));
  authority = await testAuthority(folder);
  stranger = await testAuthority(folder, 'stranger');
  server = await authority.issue('server', 'IP:127.0.0.1,DNS:registry.test,DNS:storage.test');
  client = await authority.issue('client');
  registry = await embeddedRegistry();
});
afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(folder, 'machine-'));
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

function registries(settings: RegistrySettings = {}, variables: Record<string, string> = {}): Registries {
  const environment = { variables, home: join(root, 'home'), etc: join(root, 'etc') };
  const made = new Registries(
    { credential: 'anonymous', attempts: 1, ...settings },
    { configuration: new Configuration(settings, environment) },
  );
  opened.push({ close: () => made[Symbol.asyncDispose]() });
  return made;
}

async function secured(
  options: { readonly wantsClient?: boolean; readonly to?: { readonly host: string } } = {},
): Promise<Terminator> {
  const { wantsClient = false, to = registry } = options;
  const made = await terminator(
    { port: portOf(to.host) },
    {
      ...(await identity(server)),
      ...(wantsClient
        ? {
            requestCert: true,
            rejectUnauthorized: true,
            ca: [(await identity({ certificate: authority.certificate, key: authority.certificate })).cert],
          }
        : {}),
    },
  );
  opened.push(made);
  return made;
}

async function put(path: string, from: string): Promise<void> {
  const whole = join(root, path);
  await mkdir(dirname(whole), { recursive: true });
  await copyFile(from, whole);
}

/** Puts an image there and reads it back. */
async function roundTrip(through: Registries, host: string): Promise<Descriptor> {
  const image = await pushImage(await through.open(`${host}/tls/app`, 'push'), 'v1');
  const target = await through.open(`${host}/tls/app`);
  const found = await target.resolve('v1');
  expect(found).toEqual(image);
  expect((await collect(await target.fetch(found), found)).length).toBe(image.size);
  return found;
}

const ask = async (through: Registries, host: string) => (await through.open(`${host}/tls/app`)).resolve('none');

describe('certificates', () => {
  it('of an authority that nobody knows are refused, and nothing is tried over http', async () => {
    const front = await secured();
    await expect(ask(registries({ scheme: 'https' }), front.host)).rejects.toMatchObject({
      code: 'TLS',
      hint: expect.stringContaining('--ca'),
    });
    expect(front.clients).toEqual([]);
  });

  it.each([
    ['docker', 'etc/docker/certs.d'],
    ['containers', 'etc/containers/certs.d'],
    ["the user's containers", 'home/.config/containers/certs.d'],
    ["the user's docker", 'home/.docker/certs.d'],
  ])('of an authority in the certs.d of %s are taken, for that host only', async (_name, place) => {
    const front = await secured();
    await put(`${place}/${front.host}/ca.crt`, authority.certificate);
    const through = registries();
    await roundTrip(through, front.host);
    const other = await secured();
    await expect(ask(registries({ scheme: 'https' }), other.host)).rejects.toMatchObject({ code: 'TLS' });
  });

  it('of the authorities of --ca, --cert-dir, SSL_CERT_FILE and SSL_CERT_DIR are taken', async () => {
    const front = await secured();
    await put('folder/ca.crt', authority.certificate);
    await put('empty/none.crt', stranger.certificate);
    const here = join(root, 'folder');
    await roundTrip(registries({ ca: [stranger.certificate, authority.certificate] }), front.host);
    await roundTrip(registries({ certDir: here }), front.host);
    await roundTrip(registries({ scheme: 'https' }, { SSL_CERT_FILE: authority.certificate }), front.host);
    await roundTrip(registries({ scheme: 'https' }, { SSL_CERT_DIR: `${join(root, 'empty')}:${here}` }), front.host);
    const wrong = registries({ scheme: 'https' }, { SSL_CERT_DIR: join(root, 'empty') });
    await expect(ask(wrong, front.host)).rejects.toMatchObject({ code: 'TLS' });
  });

  it('are read from files that must hold them', async () => {
    const front = await secured();
    await writeFile(join(root, 'not.crt'), 'hello');
    for (const [path, message] of [
      [join(root, 'none.crt'), 'names'],
      [join(root, 'not.crt'), 'holds no certificate'],
    ] as const) {
      await expect(ask(registries({ scheme: 'https', ca: [path] }), front.host)).rejects.toMatchObject({
        code: 'CONFIG',
        message: expect.stringContaining(message),
      });
    }
  });
});

describe('a client certificate', () => {
  it('is shown to the host that it is for', async () => {
    const front = await secured({ wantsClient: true });
    await put(`etc/docker/certs.d/${front.host}/ca.crt`, authority.certificate);
    await expect(ask(registries(), front.host)).rejects.toMatchObject({ code: expect.stringMatching(/TLS|NETWORK/) });
    await put(`etc/docker/certs.d/${front.host}/client.cert`, client.certificate);
    await put(`etc/docker/certs.d/${front.host}/client.key`, client.key);
    await roundTrip(registries(), front.host);
    expect(new Set(front.clients)).toEqual(new Set(['client']));
  });

  it('and headers of a hosts.toml never go to another origin, which the same authority may have signed', async () => {
    const storage = await scriptedServer((_seen, response) => reply(response, 200, {}, 'stolen?'));
    const storageFront = await securedOptional(storage);
    const pointer = await scriptedServer(({ url }, response) => {
      if (url.includes('/blobs/')) return reply(response, 307, { location: `https://${storageFront.host}/blob` });
      reply(response, 404);
    });
    const front = await secured({ wantsClient: true, to: pointer });
    opened.push(storage, pointer);
    await put(`etc/containerd/certs.d/${front.host}/client.cert`, client.certificate);
    await put(`etc/containerd/certs.d/${front.host}/client.key`, client.key);
    await writeFile(
      join(root, `etc/containerd/certs.d/${front.host}/hosts.toml`),
      `server = "https://${front.host}"\nca = ${JSON.stringify(authority.certificate)}\nclient = [["client.cert", "client.key"]]\n[header]\nx-key = "for the registry alone"\n`,
    );
    const target = await registries().open(`${front.host}/tls/app`);
    const blob = { mediaType: 'application/octet-stream', digest: sha('stolen?'), size: 7 };
    expect((await collect(await target.fetch(blob), blob)).toString()).toBe('stolen?');
    expect(front.clients).toEqual(['client']);
    expect(pointer.seen[0]?.headers['x-key']).toBe('for the registry alone');
    expect(storageFront.clients).toEqual(['']);
    expect(storage.seen[0]?.headers['x-key']).toBeUndefined();
  });

  it('that does not fit its key is an error that names both', async () => {
    const front = await secured();
    await put(`etc/docker/certs.d/${front.host}/client.cert`, client.certificate);
    await put(`etc/docker/certs.d/${front.host}/client.key`, server.key);
    await expect(ask(registries(), front.host)).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/client\.cert with .*client\.key is no client certificate/),
    });
  });
});

/** Asks for a client certificate, and takes none as well. */
async function securedOptional(to: ScriptedServer): Promise<Terminator> {
  const made = await terminator(
    { port: portOf(to.host) },
    { ...(await identity(server)), requestCert: true, rejectUnauthorized: false },
  );
  opened.push(made);
  return made;
}

describe('--tls-verify=false', () => {
  it('takes any certificate of the registry that is named, and plain http where it speaks no TLS', async () => {
    const front = await secured();
    await roundTrip(registries({ tlsVerify: false }), front.host);
    expect(front.clients.length).toBeGreaterThan(0);
    await roundTrip(registries({ tlsVerify: false }), registry.host);
  });

  it('holds for no host that the registry leads to', async () => {
    const front = await secured();
    const pointer = await scriptedServer((_seen, response) =>
      reply(response, 307, { location: `https://localhost:${front.port}/v2/` }),
    );
    opened.push(pointer);
    const outer = await secured({ to: pointer });
    await expect(ask(registries({ tlsVerify: false }), outer.host)).rejects.toMatchObject({ code: 'TLS' });
  });

  it.each([
    [
      'registries.conf',
      'etc/containers/registries.conf',
      (host: string) => `[[registry]]\nlocation = "${host}"\ninsecure = true`,
    ],
    [
      'daemon.json, by host',
      'etc/docker/daemon.json',
      (host: string) => JSON.stringify({ 'insecure-registries': [host] }),
    ],
    ['daemon.json, by network', 'etc/docker/daemon.json', () => '{"insecure-registries":["127.0.0.0/8"]}'],
  ])('is what %s says of insecure registries, and --tls-verify overrules it', async (_name, path, text) => {
    const front = await secured();
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text(front.host));
    await roundTrip(registries(), front.host);
    await expect(ask(registries({ tlsVerify: true }), front.host)).rejects.toMatchObject({ code: 'TLS' });
  });
});

describe('--resolve', () => {
  it('reaches a host at another address, and checks the certificate against its name', async () => {
    const front = await secured();
    const settings = { ca: [authority.certificate], resolve: [`registry.test:5000:127.0.0.1:${front.port}`] };
    await roundTrip(registries(settings), 'registry.test:5000');
    const wrong = { ca: [authority.certificate], resolve: [`other.test:443:127.0.0.1:${front.port}`] };
    await expect(ask(registries(wrong), 'other.test')).rejects.toMatchObject({ code: 'TLS' });
  });
});

describe('IPv6', () => {
  it('literals are hosts as all others', async () => {
    const six = await embeddedRegistry({ host: '::1' }).catch(() => undefined);
    // a machine without IPv6 has nothing to show
    if (six === undefined) return;
    opened.push(six);
    await roundTrip(registries(), `[::1]:${portOf(six.host)}`);
  });
});

(hasDebianRegistry ? describe : describe.skip)(
  "Debian's docker-registry over TLS (skipped where it is not installed)",
  () => {
    it('lets nobody in but who shows a certificate of its authority', async () => {
      const debian = await debianRegistry(folder, { ...server, clients: authority.certificate });
      opened.push(debian);
      await put(`etc/docker/certs.d/${debian.host}/ca.crt`, authority.certificate);
      await expect(ask(registries(), debian.host)).rejects.toMatchObject({
        code: expect.stringMatching(/TLS|NETWORK/),
      });
      await put(`etc/docker/certs.d/${debian.host}/client.cert`, client.certificate);
      await put(`etc/docker/certs.d/${debian.host}/client.key`, client.key);
      await roundTrip(registries(), debian.host);
    });
  },
);

function sha(text: string): Descriptor['digest'] {
  return digestOf(Buffer.from(text));
}

describe("the machine's own authorities", () => {
  const read: string[] = [];
  const at = (host: string, systemRoots: () => readonly string[]) => {
    const session = openSession({ attempts: 1, variables: {}, systemRoots });
    opened.push(session);
    return openRepository(`${host}/system/app`, { scheme: 'https', credential: 'anonymous', session, access: 'push' });
  };
  const ours = async () => [(await identity({ certificate: authority.certificate, key: authority.certificate })).cert];
  const pem = (certificates: readonly (string | Buffer)[]) => () => {
    read.push('read');
    return certificates.map(String);
  };

  it('hold where the usual ones do not know the server, and are read once, when that is seen', async () => {
    const { host } = await secured();
    const target = at(host, pem(await ours()));
    expect(read).toEqual([]);
    const { digest } = await pushImage(target, '1');
    expect(await target.resolve('1')).toMatchObject({ digest });
    const again = at(host, pem(await ours()));
    const all = await Promise.all([1, 2, 3].map(() => again.resolve('1')));
    expect(all.map((each) => each.digest)).toEqual([digest, digest, digest]);
    expect(read).toEqual(['read', 'read']);
  });

  it('do not hold for who is not among them', async () => {
    const { host } = await secured();
    const others = [(await identity({ certificate: stranger.certificate, key: stranger.certificate })).cert];
    await expect(at(host, pem(others)).resolve('1')).rejects.toMatchObject({ code: 'TLS' });
  });
});
