import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeS3 {
  readonly url: string;
  /** `bucket/key` to content. */
  readonly objects: ReadonlyMap<string, Buffer>;
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const credential =
  /^AWS4-HMAC-SHA256 Credential=AKTEST\/\d{8}\/eu-test-1\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/**
 * As much of S3 as a cache needs, path-style: objects, ranges, uploads in parts, errors as XML. Every request must be signed by
 * AKTEST for eu-test-1, and its body be what the signed hash says.
 */
export async function fakeS3(): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void answer({ request, response, objects, uploads, requests }).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly objects: Map<string, Buffer>;
  readonly uploads: Map<string, Map<number, Buffer>>;
  readonly requests: string[];
}

async function answer(exchange: Exchange): Promise<void> {
  const { request, response, objects, requests } = exchange;
  const url = new URL(request.url ?? '', 'http://s3');
  const key = decodeURIComponent(url.pathname.slice(1));
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  requests.push(`${request.method ?? ''} ${key}`);
  const refused = whyRefused(request, body);
  if (refused !== undefined) return fail(response, 403, refused);
  if (url.searchParams.has('uploads') || url.searchParams.has('uploadId')) return inParts(exchange, url, key, body);
  if (request.method === 'PUT') {
    objects.set(key, body);
    response.writeHead(200, { etag: etagOf(body) }).end();
    return;
  }
  const found = objects.get(key);
  if (found === undefined) return fail(response, 404, 'NoSuchKey', request.method === 'HEAD');
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const headers = {
    'content-length': found.length - start,
    etag: etagOf(found),
    'content-type': 'binary/octet-stream',
  };
  response
    .writeHead(start === 0 ? 200 : 206, headers)
    .end(request.method === 'HEAD' ? undefined : found.subarray(start));
}

function inParts({ request, response, objects, uploads }: Exchange, url: URL, key: string, body: Buffer): void {
  if (url.searchParams.has('uploads')) {
    const id = randomUUID();
    uploads.set(id, new Map());
    xml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    return;
  }
  const id = url.searchParams.get('uploadId') ?? '';
  const parts = uploads.get(id);
  if (parts === undefined) return fail(response, 404, 'NoSuchUpload');
  if (request.method === 'PUT') {
    parts.set(Number(url.searchParams.get('partNumber')), body);
    response.writeHead(200, { etag: etagOf(body) }).end();
    return;
  }
  uploads.delete(id);
  if (request.method === 'DELETE') {
    response.writeHead(204).end();
    return;
  }
  const numbers = [...parts.keys()].toSorted((a, b) => a - b);
  const listed = [...body.toString('utf8').matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) =>
    Number(number),
  );
  if (JSON.stringify(numbers) !== JSON.stringify(listed)) return fail(response, 400, 'InvalidPart');
  const small = numbers.slice(0, -1).some((number) => (parts.get(number)?.length ?? 0) < 5 * 1024 * 1024);
  if (small) return fail(response, 400, 'EntityTooSmall');
  objects.set(key, Buffer.concat(numbers.map((number) => parts.get(number) ?? Buffer.alloc(0))));
  xml(response, '<CompleteMultipartUploadResult/>');
}

function whyRefused(request: IncomingMessage, body: Buffer): string | undefined {
  const signed = credential.exec(request.headers.authorization ?? '')?.[1]?.split(';');
  if (signed === undefined) return 'SignatureDoesNotMatch';
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => signed.includes(name))) return 'AccessDenied';
  const hash = createHash('sha256').update(body).digest('hex');
  return request.headers['x-amz-content-sha256'] === hash ? undefined : 'XAmzContentSHA256Mismatch';
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function xml(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

function fail(response: ServerResponse, status: number, code: string, silent = false): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(
    silent
      ? undefined
      : `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  );
}
