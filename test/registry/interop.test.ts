import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashSync } from 'bcryptjs';
import { fetchBytes } from '../../src/oci/index.ts';
import {
  basicAuth,
  openHtpasswd,
  openMemoryStorage,
  openPullThrough,
  openTokenSigner,
  ownTokenAuth,
  plainAccess,
  Registries,
  type RegistryServerOptions,
  startRegistry,
} from '../../src/registry/index.ts';
import { pushImage } from '../contracts/target-contract.ts';
import { newerPeer } from '../newer-peers.ts';
import { debianRegistry, hasDebianRegistry } from './debian-registry.ts';
import { pushImage as pushMadeImage } from './made-images.ts';
import { testCertificate } from './test-certificate.ts';

/** Both ways between servers (ours, Debian's) and clients (ours, others), digests identical. */
const run = promisify(execFile);
const certificate = testCertificate();
const user = { username: 'ann', password: 'wonder' } as const;
const auth = Buffer.from(`${user.username}:${user.password}`).toString('base64');
const closing: (() => Promise<void>)[] = [];
let folder: string;
let htpasswd: string;

interface Server {
  readonly host: string;
  readonly isSecure?: boolean;
  /** Has what this one has, and takes nothing. */
  readonly upstream?: Server;
}

const access = plainAccess({ anonymousPull: false });
const signer = openTokenSigner({ key: certificate.pem.key, certificate: certificate.pem.cert });

async function ours(options: Partial<RegistryServerOptions>): Promise<Server> {
  const server = await startRegistry({ storage: openMemoryStorage(), ...options });
  closing.push(() => server.close());
  const { host } = server;
  // crane and oras take no token server at a loopback address, so it is known by its name
  return options.tls === undefined ? { host } : { host: host.replace('127.0.0.1', 'localhost'), isSecure: true };
}

async function debian(sections?: string, isSecure = false): Promise<Server> {
  const tls = isSecure ? { certificate: certificate.cert, key: certificate.key } : {};
  const registry = await debianRegistry(undefined, { ...tls, ...(sections === undefined ? {} : { sections }) });
  closing.push(() => registry.close());
  return { host: registry.host.replace('127.0.0.1', 'localhost'), isSecure };
}

/** One that gives tokens for itself and for Debian's. */
const tokens = async (): Promise<Server> =>
  ours({
    tls: certificate.pem,
    layers: [
      ownTokenAuth({ users: await openHtpasswd(htpasswd), access, signer, issuer: 'us', services: ['ours', 'debian'] }),
    ],
  });

const servers: readonly (readonly [string, boolean, () => Promise<Server>])[] = [
  ['ours', true, () => ours({})],
  [
    'ours with htpasswd',
    true,
    async () => ours({ layers: [basicAuth({ users: await openHtpasswd(htpasswd), access })] }),
  ],
  ['ours with tokens, TLS and HTTP/2', true, tokens],
  [
    "ours as a cache of Debian's",
    hasDebianRegistry,
    async () => {
      const upstream = await debian();
      const registries = ourClient();
      const open = (name: string) => registries.open(`${upstream.host}/${name}`);
      const { storage, rules, layers } = openPullThrough({ local: openMemoryStorage(), host: upstream.host, open });
      return { ...(await ours({ storage, ...rules, layers })), upstream };
    },
  ],
  ["Debian's", hasDebianRegistry, () => debian()],
  ["Debian's with htpasswd", hasDebianRegistry, () => debian(`auth: { htpasswd: { realm: r, path: ${htpasswd} } }`)],
  [
    "Debian's with our tokens, TLS and HTTP/2",
    hasDebianRegistry,
    async () => {
      const { host } = await tokens();
      const token = `{ realm: https://${host}/token, service: debian, issuer: us, rootcertbundle: ${certificate.cert} }`;
      return debian(`auth: { token: ${token} }`, true);
    },
  ],
  [
    "Debian's as a cache of ours",
    hasDebianRegistry,
    async () => {
      const upstream = await ours({});
      return { ...(await debian(`proxy: { remoteurl: "http://${upstream.host}" }`)), upstream };
    },
  ],
];

function ourClient(server: Partial<Server> = {}): Registries {
  const registries = new Registries({
    ...(server.isSecure === true ? { scheme: 'https', ca: [certificate.cert] } : {}),
    credential: { kind: 'basic', ...user },
  });
  closing.push(() => registries[Symbol.asyncDispose]());
  return registries;
}

interface Peer {
  readonly name: string;
  readonly program: string;
  /** Arguments that copy an image from a registry into an empty folder, and from there back. */
  readonly pull: (image: string, layout: string, server: Server) => readonly string[];
  readonly push: (image: string, layout: string, server: Server) => readonly string[];
}

const peers: readonly Peer[] = [
  {
    name: 'skopeo',
    program: '/usr/bin/skopeo',
    pull: (image, layout, server) => [
      'copy',
      '--all',
      '--preserve-digests',
      ...skopeoTls('src', server),
      `docker://${image}`,
      `oci:${layout}:v1`,
    ],
    push: (image, layout, server) => [
      'copy',
      '--all',
      '--preserve-digests',
      ...skopeoTls('dest', server),
      `oci:${layout}:v1`,
      `docker://${image}`,
    ],
  },
  {
    name: 'crane',
    program: newerPeer('crane'),
    pull: (image, layout) => ['pull', '--format=oci', image, layout],
    push: (image, layout) => ['push', layout, image],
  },
  {
    name: 'oras',
    program: newerPeer('oras'),
    pull: (image, layout, server) => ['cp', ...orasTls('from', server), image, '--to-oci-layout', `${layout}:v1`],
    push: (image, layout, server) => ['cp', '--from-oci-layout', `${layout}:v1`, ...orasTls('to', server), image],
  },
];

function skopeoTls(side: 'src' | 'dest', { isSecure }: Server): readonly string[] {
  return isSecure === true ? [`--${side}-cert-dir=${certificate.folder}`] : [`--${side}-tls-verify=false`];
}

function orasTls(side: 'from' | 'to', { isSecure }: Server): readonly string[] {
  // to oras, localhost is plain http unless it is told otherwise
  if (isSecure !== true) return [`--${side}-plain-http`];
  return [`--${side}-plain-http=false`, `--${side}-ca-file`, certificate.cert];
}

/** Its storage needs root here. */
const withPodman =
  existsSync('/usr/bin/podman') && process.getuid?.() === 0
    ? ['ours with htpasswd', 'ours with tokens, TLS and HTTP/2', "Debian's with our tokens, TLS and HTTP/2"].filter(
        (title) => hasDebianRegistry || title.startsWith('ours'),
      )
    : [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-interop-'));
  htpasswd = join(folder, 'htpasswd');
  await writeFile(htpasswd, `ann:${hashSync(user.password, 4).replace('$2b$', '$2y$')}\n`);
});
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  certificate.close();
  await rm(folder, { recursive: true, force: true });
});

for (const [title, isThere, start] of servers) {
  (isThere ? describe : describe.skip)(`the server is ${title}`, () => {
    let server: Server;
    let environment: NodeJS.ProcessEnv;
    beforeAll(async () => {
      server = await start();
      const home = await mkdtemp(join(folder, 'home-'));
      await writeFile(join(home, 'config.json'), JSON.stringify({ auths: { [server.host]: { auth } } }));
      environment = {
        PATH: process.env['PATH'],
        HOME: home,
        DOCKER_CONFIG: home,
        REGISTRY_AUTH_FILE: join(home, 'config.json'),
        SSL_CERT_FILE: certificate.cert,
      };
    });

    for (const peer of peers) {
      (existsSync(peer.program) ? it : it.skip)(
        `${peer.name} pulls what we pushed, and we pull what it pushed`,
        async () => {
          const source = server.upstream ?? server;
          const pushed = await ourClient(source).open(`${source.host}/from/us-for-${peer.name}`, 'push');
          const image = await pushImage(pushed, `${title} ${peer.name}`);
          await pushed.tag(image.descriptor, 'v1');
          const layout = join(await mkdtemp(join(folder, `${peer.name}-`)), 'layout');
          const call = (args: readonly string[]) => run(peer.program, args, { env: environment, timeout: 30_000 });
          await call(peer.pull(`${server.host}/from/us-for-${peer.name}:v1`, layout, server));
          const theirs = `from/${peer.name}`;
          // what takes nothing is read by us alone: the layout is pushed to its upstream
          await call(peer.push(`${source.host}/${theirs}:v1`, layout, source));
          const pulled = await ourClient(server).open(`${server.host}/${theirs}`);
          expect(await pulled.resolve('v1')).toEqual(image.descriptor);
          for (const blob of image.blobs)
            expect(Buffer.from(await fetchBytes(pulled, blob.descriptor))).toEqual(blob.content);
        },
      );
    }

    (withPodman.includes(title) ? it : it.skip)('podman pulls what we pushed, and we pull what it pushed', async () => {
      const client = ourClient(server);
      const pushed = await client.open(`${server.host}/podman/from-us`, 'push');
      const file = join(folder, 'hello');
      await writeFile(file, 'hello\n');
      const { stdout: layer } = await run('tar', ['-C', folder, '-c', 'hello'], { encoding: 'buffer' });
      const image = await pushMadeImage(pushed, 'v1', { layers: [layer] });
      const home = String(environment['HOME']);
      const places = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
      const tls = server.isSecure === true ? [`--cert-dir=${certificate.folder}`] : ['--tls-verify=false'];
      const podman = async (...args: string[]): Promise<string> =>
        (await run('/usr/bin/podman', [...places, ...args], { env: environment, timeout: 30_000 })).stdout.trim();
      const name = `${server.host}/podman/from-us:v1`;
      await podman('pull', '--quiet', ...tls, name);
      expect(await podman('image', 'inspect', '--format', '{{.Digest}}', name)).toBe(image.digest);
      const digestFile = join(home, 'digest');
      await podman('push', '--quiet', ...tls, '--digestfile', digestFile, name, `${server.host}/podman/from-it:v2`);
      const pulled = await (await client.open(`${server.host}/podman/from-it`)).resolve('v2', { reads: true });
      expect(pulled.digest).toBe((await readFile(digestFile, 'utf8')).trim());
    });

    it('lets nobody in without a login, where it has one', async () => {
      const scheme = server.isSecure === true ? 'https' : 'http';
      await using anonymous = new Registries({ scheme, ca: [certificate.cert], credential: 'anonymous' });
      const target = await anonymous.open(`${server.host}/from/nobody`);
      const code = title.includes('htpasswd') || title.includes('tokens') ? 'UNAUTHORIZED' : 'NOT_FOUND';
      await expect(target.resolve('v1')).rejects.toMatchObject({ code });
    });
  });
}
