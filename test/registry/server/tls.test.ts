import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../src/oci/index.ts';
import {
  openMemoryStorage,
  Registries,
  type RegistryServer,
  type ServedRequest,
  startRegistry,
} from '../../../src/registry/index.ts';
import { pushImage } from '../../contracts/target-contract.ts';
import { signedCertificate, type TestCertificate, testCertificate } from '../test-certificate.ts';

let first: TestCertificate;
let second: TestCertificate;

beforeAll(() => {
  first = testCertificate();
  second = testCertificate();
});
afterAll(() => {
  first.close();
  second.close();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function ask(session: ClientHttp2Session, method: string, path: string, body?: Buffer): Promise<Answer> {
  const stream = session.request({ ':method': method, ':path': path }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const { promise, resolve } = Promise.withResolvers<IncomingHttpHeaders>();
  stream.once('response', resolve);
  const chunks: Buffer[] = [];
  const headers = await promise;
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: Number(headers[':status']), headers, body: Buffer.concat(chunks) };
}

async function session(server: RegistryServer, options: { ca: Buffer; cert?: Buffer; key?: Buffer }) {
  const made = connectHttp2(server.url, options);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  made.once('connect', () => resolve());
  made.once('error', reject);
  await promise;
  return made;
}

describe('https', () => {
  it('speaks HTTP/2: an upload, a download, a range, errors and many requests at once', async () => {
    const served: ServedRequest[] = [];
    const server = await startRegistry({
      storage: openMemoryStorage(),
      tls: first.pem,
      onRequest: (event) => void served.push(event),
    });
    const client = await session(server, { ca: first.pem.cert });
    const content = Buffer.alloc(300_000, 'over http/2 ');
    const digest = digestOf(content);
    const started = await ask(client, 'POST', '/v2/a/b/blobs/uploads/');
    const location = String(started.headers.location);
    expect([started.status, location]).toEqual([202, expect.stringMatching(/^\/v2\/a\/b\/blobs\/uploads\//)]);
    expect((await ask(client, 'PATCH', location, content)).headers.range).toBe('0-299999');
    expect((await ask(client, 'PUT', `${location}?digest=${digest}`)).status).toBe(201);
    const all = await Promise.all(Array.from({ length: 40 }, () => ask(client, 'GET', `/v2/a/b/blobs/${digest}`)));
    expect(all.every(({ status, body }) => status === 200 && body.equals(content))).toBe(true);
    expect((await ask(client, 'HEAD', `/v2/a/b/blobs/${digest}`)).headers['content-length']).toBe('300000');
    const refused = await ask(client, 'PUT', '/v2/a/b/manifests/v1', Buffer.from('{}'));
    expect([refused.status, JSON.parse(refused.body.toString())]).toEqual([
      400,
      { errors: [expect.objectContaining({ code: 'MANIFEST_INVALID' })] },
    ]);
    const tooMuch = await ask(client, 'PUT', '/v2/a/b/blobs/uploads/none', Buffer.alloc(100_000));
    expect(tooMuch.status).toBe(404);
    expect((await ask(client, 'GET', '/v2/')).status).toBe(200);
    expect(new Set(served.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['2.0']));
    expect(served.find(({ method }) => method === 'GET')).toMatchObject({ bytesOut: 300_000, aborted: false });
    await server.close();
    expect(client.closed).toBe(true);
  });

  it('speaks HTTP/1.1 with who offers no other', async () => {
    await using server = await startRegistry({ storage: openMemoryStorage(), tls: first.pem });
    await using registries = new Registries({ scheme: 'https', ca: [first.cert], credential: 'anonymous' });
    const target = await registries.open(`${server.host}/a/b`, 'push');
    const image = await pushImage(target, 'over TLS');
    await target.tag(image.descriptor, 'v1');
    expect(await target.resolve('v1')).toEqual(image.descriptor);
  });

  it('shows new connections a renewed certificate, and keeps the old ones', async () => {
    await using server = await startRegistry({ storage: openMemoryStorage(), tls: first.pem });
    const old = await session(server, { ca: first.pem.cert });
    server.renewTls(second.pem);
    expect((await ask(old, 'GET', '/v2/')).status).toBe(200);
    const renewed = await session(server, { ca: second.pem.cert });
    expect((await ask(renewed, 'GET', '/v2/')).status).toBe(200);
    await expect(session(server, { ca: first.pem.cert })).rejects.toThrow();
    expect(() => server.renewTls({ cert: first.pem.cert, key: second.pem.key })).toThrow(/cannot be used/);
    old.close();
    renewed.close();
  });

  it('takes only clients with a certificate where it is told to', async () => {
    const tls = { ...first.pem, clientCa: first.pem.cert };
    await using server = await startRegistry({ storage: openMemoryStorage(), tls });
    const client = signedCertificate(first, 'client');
    const known = await session(server, { ca: first.pem.cert, ...client.pem });
    expect((await ask(known, 'GET', '/v2/')).status).toBe(200);
    known.close();
    for (const stranger of [{}, second.pem]) expect(await isLetIn(server, stranger)).toBe(false);
  });

  it('cannot start with a certificate and the key of another one', async () => {
    const tls = { cert: first.pem.cert, key: second.pem.key };
    await expect(startRegistry({ storage: openMemoryStorage(), tls })).rejects.toMatchObject({ code: 'CONFIG' });
  });
});

/** With TLS 1.3 a client hears of a refusal only after its handshake. */
async function isLetIn(server: RegistryServer, own: { cert?: Buffer; key?: Buffer }): Promise<boolean> {
  const { hostname, port } = new URL(server.url);
  const socket: TLSSocket = connectTls({ host: hostname, port: Number(port), ca: first.pem.cert, ...own });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.on('error', () => resolve(false));
  socket.on('close', () => resolve(false));
  socket.on('data', () => resolve(true));
  socket.write('GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\n');
  const isIn = await promise;
  socket.destroy();
  return isIn;
}
