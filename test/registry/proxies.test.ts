import { once } from 'node:events';
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Configuration } from '../../src/registry/config/configuration.ts';
import { Registries, type RegistrySettings } from '../../src/registry/index.ts';
import { embeddedRegistry, type EmbeddedRegistry } from './embedded.ts';
import { pushImage } from './made-images.ts';
import { identity, testAuthority, type TestAuthority } from './tls/authority.ts';
import { portOf, type Terminator, terminator } from './tls/terminator.ts';

const password = 'pr0xy-secret';
let folder: string;
let authority: TestAuthority;
let registry: EmbeddedRegistry;
let front: Terminator;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-proxies-'));
  authority = await testAuthority(folder);
  registry = await embeddedRegistry();
  front = await terminator(
    { port: portOf(registry.host) },
    await identity(await authority.issue('server', 'DNS:registry.test')),
  );
});
afterAll(async () => {
  await front.close();
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

interface TestProxy {
  readonly host: string;
  /** What it was asked for: `CONNECT registry.test:443`, `GET http://registry.test/v2/`. */
  readonly asked: readonly string[];
  /** Headers of what it passed on. */
  readonly headers: readonly IncomingMessage['headers'][];
}

/** A proxy that wants user and password, and leads every name to one of our ports. */
async function proxy(options: { readonly status?: number } = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const sockets = new Set<Socket>();
  const wanted = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  const refusal = (request: IncomingMessage): number | undefined =>
    options.status ?? (request.headers['proxy-authorization'] === wanted ? undefined : 407);
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    const refused = refusal(request);
    if (refused !== undefined) return response.writeHead(refused).end();
    const { pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...rest } = request.headers;
    const passed = httpRequest(
      {
        host: '127.0.0.1',
        port: portOf(registry.host),
        path: `${pathname}${search}`,
        method: request.method,
        headers: rest,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(passed);
  });
  server.on('connect', (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    headers.push(request.headers);
    sockets.add(socket);
    const refused = refusal(request);
    if (refused !== undefined) return socket.end(`HTTP/1.1 ${refused} No\r\ncontent-length: 0\r\n\r\n`);
    const inner = connect(front.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(inner).pipe(socket);
    });
    sockets.add(inner);
    for (const each of [socket, inner]) each.on('error', () => each.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  opened.push({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { host: `127.0.0.1:${address.port}`, asked, headers };
}

function registries(variables: Record<string, string>, settings: RegistrySettings = {}): Registries {
  const all: RegistrySettings = { credential: 'anonymous', attempts: 1, ca: [authority.certificate], ...settings };
  const made = new Registries(all, { configuration: new Configuration(all, { variables, home: folder, etc: folder }) });
  opened.unshift({ close: () => made[Symbol.asyncDispose]() });
  return made;
}

describe('a proxy', () => {
  it('is asked to connect for https, with its password, which nobody behind it sees', async () => {
    const through = await proxy();
    const target = await registries({ HTTPS_PROXY: `http://user:${password}@${through.host}` }).open(
      'registry.test/p/a',
      'push',
    );
    const image = await pushImage(target, 'v1');
    expect(await target.resolve('v1')).toEqual(image);
    expect(new Set(through.asked)).toEqual(new Set(['CONNECT registry.test:443']));
    expect(front.clients.length).toBeGreaterThan(0);
  });

  it('is asked for whole URLs for http', async () => {
    const through = await proxy();
    const variables = { http_proxy: `user:${password}@${through.host}` };
    const target = await registries(variables, { scheme: 'http' }).open('registry.test/p/b', 'push');
    const image = await pushImage(target, 'v1');
    expect(await target.resolve('v1')).toEqual(image);
    expect(through.asked.every((line) => / http:\/\/registry\.test\/v2\//.test(line))).toBe(true);
  });

  it.each([
    [
      'that wants a password which is not given',
      undefined,
      /^the proxy http:\/\/127\.0\.0\.1:\d+ \(HTTPS_PROXY\) does not connect to registry\.test: 407$/,
      'DENIED',
    ],
    ['that forbids the host', 403, /does not connect to registry\.test: 403$/, 'DENIED'],
    ['that does not get through', 503, /does not connect to registry\.test: 503$/, 'NETWORK'],
  ])('%s is what the error is about', async (_name, status, message, code) => {
    const through = await proxy(status === undefined ? {} : { status });
    const user = status === undefined ? `user:wrong-${password}` : `user:${password}`;
    const target = await registries({ HTTPS_PROXY: `http://${user}@${through.host}` }).open('registry.test/p/c');
    await expect(target.resolve('v1')).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    const error = await target.resolve('v1').catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error as Error))).not.toContain(password);
  });

  it('for http that refuses is what the error is about', async () => {
    const through = await proxy();
    const target = await registries({ HTTP_PROXY: `http://${through.host}` }, { scheme: 'http' }).open(
      'registry.test/p/c',
    );
    await expect(target.resolve('v1')).rejects.toMatchObject({ message: expect.stringMatching(/^the proxy .*: 407$/) });
  });

  it('that is not there is named', async () => {
    const target = await registries({ ALL_PROXY: 'http://127.0.0.1:1' }).open('registry.test/p/d');
    await expect(target.resolve('v1')).rejects.toMatchObject({
      code: 'NETWORK',
      message: 'cannot reach the proxy http://127.0.0.1:1 (ALL_PROXY), which leads to registry.test (ECONNREFUSED)',
    });
  });

  it('is left out for hosts of NO_PROXY, for loopback, and for hosts with an address of their own', async () => {
    const variables = { ALL_PROXY: 'http://127.0.0.1:1', NO_PROXY: '192.0.2.0/24' };
    const here = await registries(variables).open(`${registry.host}/p/e`, 'push');
    await pushImage(here, 'v1');
    const resolved = { resolve: [`registry.test:443:127.0.0.1:${front.port}`] };
    await pushImage(await registries(variables, resolved).open('registry.test/p/e', 'push'), 'v1');
    // straight to an address that is nobody's: whatever happens there, the proxy has no part in it
    const direct = await registries(variables, { connectTimeout: 100 }).open('192.0.2.1/p/e');
    await expect(direct.resolve('v1')).rejects.toMatchObject({ message: expect.not.stringContaining('proxy') });
  });
});

describe('a SOCKS proxy', () => {
  it('carries https by name, with its password', async () => {
    const through = await socks();
    const variables = { ALL_PROXY: `socks5h://user:${password}@${through.host}` };
    const target = await registries(variables).open('registry.test/p/s', 'push');
    const image = await pushImage(target, 'v1');
    expect(await target.resolve('v1')).toEqual(image);
    expect(new Set(through.asked)).toEqual(new Set(['registry.test:443']));
  });
});

/** A SOCKS5 server (RFC 1928, RFC 1929) that wants user and password, and leads every name to our registry with TLS. */
async function socks(): Promise<{ readonly host: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const talk = async (socket: Socket): Promise<void> => {
    const next = (): Promise<Buffer> => once(socket, 'data').then(([bytes]) => bytes as Buffer);
    await next();
    socket.write(Buffer.from([5, 2]));
    const login = await next();
    const user = login.subarray(2, 2 + (login[1] ?? 0)).toString();
    const known = user === 'user' && login.subarray(3 + (login[1] ?? 0)).toString() === password;
    socket.write(Buffer.from([1, known ? 0 : 1]));
    if (!known) return void socket.end();
    const request = await next();
    const length = request[4] ?? 0;
    asked.push(`${request.subarray(5, 5 + length).toString()}:${request.readUInt16BE(5 + length)}`);
    const inner = connect(front.port, '127.0.0.1', () => {
      socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      socket.pipe(inner).pipe(socket);
    });
    sockets.add(inner);
    inner.on('error', () => socket.destroy());
  };
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    void talk(socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  opened.push({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { host: `127.0.0.1:${address.port}`, asked };
}
