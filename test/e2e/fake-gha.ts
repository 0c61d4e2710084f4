import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeGha {
  readonly url: string;
  readonly token: string;
  /** Finished entries, oldest first. */
  readonly entries: Entry[];
  readonly requests: readonly string[];
  /** Answers the next requests to the service with this status instead. */
  failNext(status: number, times: number): void;
  close(): Promise<void>;
}

export interface Entry {
  readonly key: string;
  readonly version: string;
  content: Buffer;
}

interface State {
  readonly entries: Entry[];
  readonly open: Entry[];
  readonly blobs: Map<string, Map<string, Buffer>>;
  readonly requests: string[];
  failures: { status: number; times: number };
  host: string;
}

const token = 'the-job-token';
const service = '/results/twirp/github.actions.results.api.v1.CacheService/';

/**
 * GitHub's cache service, version 2, with its storage: entries are made once and seen when finished; a lookup gives the whole key, else
 * the newest that begins with it or with a restore key, of the same version; bytes go by signed URLs, as block blobs.
 */
export async function fakeGha(): Promise<FakeGha> {
  const state: State = {
    entries: [],
    open: [],
    blobs: new Map(),
    requests: [],
    failures: { status: 0, times: 0 },
    host: '',
  };
  const server = createServer((request, response) => {
    void answer(state, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  state.host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${state.host}/results/`,
    token,
    entries: state.entries,
    requests: state.requests,
    failNext: (status, times) => (state.failures = { status, times }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', state.host);
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  state.requests.push(`${request.method ?? ''} ${url.pathname}`);
  if (url.pathname.startsWith('/storage/')) return storage(state, { request, response, url, body });
  if (state.failures.times > 0) {
    state.failures.times -= 1;
    return json(response, state.failures.status, { code: 'unavailable', msg: 'try again' });
  }
  if (request.method !== 'POST' || !url.pathname.startsWith(service)) return json(response, 404, { code: 'bad_route' });
  if (request.headers.authorization !== `Bearer ${token}`)
    return json(response, 401, { code: 'unauthenticated', msg: 'no' });
  const {
    key,
    version,
    restore_keys: restore,
    size_bytes: size,
  } = JSON.parse(body.toString('utf8')) as {
    key: string;
    version: string;
    restore_keys?: string[];
    size_bytes?: string | number;
  };
  if (typeof key !== 'string' || key.length > 512 || key.includes(',') || !/^[0-9a-f]{64}$/.test(version))
    return json(response, 400, { code: 'invalid_argument', msg: 'key' });
  const isIt = (entry: Entry): boolean => entry.key === key && entry.version === version;
  switch (url.pathname.slice(service.length)) {
    case 'CreateCacheEntry': {
      if ([...state.entries, ...state.open].some(isIt))
        return json(response, 409, {
          code: 'already_exists',
          msg: 'cache entry with the same key, version, and scope already exists',
        });
      state.open.push({ key, version, content: Buffer.alloc(0) });
      return json(response, 200, { ok: true, signed_upload_url: signed(state, key, version, 'w') });
    }
    case 'FinalizeCacheEntryUpload': {
      const at = state.open.findIndex(isIt);
      const entry = state.open[at];
      if (entry === undefined || entry.content.length !== Number(size))
        return json(response, 404, { code: 'not_found', msg: 'size' });
      state.open.splice(at, 1);
      state.entries.push(entry);
      return json(response, 200, { ok: true, entry_id: String(state.entries.length) });
    }
    case 'GetCacheEntryDownloadURL': {
      const own = state.entries.filter((entry) => entry.version === version);
      const prefixes = [key, ...(restore ?? [])];
      const found =
        own.find((entry) => entry.key === key) ??
        own.findLast((entry) => prefixes.some((prefix) => entry.key.startsWith(prefix)));
      if (found === undefined) return json(response, 200, { ok: false, signed_download_url: '', matched_key: '' });
      return json(response, 200, {
        ok: true,
        signed_download_url: signed(state, found.key, version, 'r'),
        matched_key: found.key,
      });
    }
    default:
      return json(response, 404, { code: 'bad_route' });
  }
}

function signed(state: State, key: string, version: string, right: 'r' | 'w'): string {
  return `${state.host}/storage/${encodeURIComponent(key)}?v=${version}&sp=${right}&sig=secret%2Bsignature`;
}

interface StorageExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly body: Buffer;
}

function storage(state: State, { request, response, url, body }: StorageExchange): void {
  const key = decodeURIComponent(url.pathname.slice('/storage/'.length));
  const right = request.method === 'GET' ? 'r' : 'w';
  const query = url.searchParams;
  // A token of the service has no business here.
  if (
    query.get('sig') !== 'secret+signature' ||
    query.get('sp') !== right ||
    request.headers.authorization !== undefined
  )
    return void response.writeHead(403).end('<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code></Error>');
  const isIt = (entry: Entry): boolean => entry.key === key && entry.version === query.get('v');
  if (right === 'r') {
    const found = state.entries.find(isIt);
    const start = Number(/^bytes=(\d+)-$/.exec(String(request.headers['x-ms-range'] ?? ''))?.[1] ?? 0);
    response.writeHead(found === undefined ? 404 : start === 0 ? 200 : 206).end(found?.content.subarray(start));
    return;
  }
  const entry = state.open.find(isIt);
  if (entry === undefined) return void response.writeHead(404).end();
  const blocks = state.blobs.get(key) ?? new Map<string, Buffer>();
  state.blobs.set(key, blocks);
  const part = query.get('comp');
  if (part === 'block') {
    blocks.set(query.get('blockid') ?? '', body);
  } else if (part === 'blocklist') {
    const ids = [...body.toString('utf8').matchAll(/<Latest>([^<]*)<\/Latest>/g)].map(([, id]) => id ?? '');
    if (ids.some((id) => !blocks.has(id)))
      return void response.writeHead(400).end('<Error><Code>InvalidBlockList</Code></Error>');
    entry.content = Buffer.concat(ids.map((id) => blocks.get(id) ?? Buffer.alloc(0)));
  } else {
    if (request.headers['x-ms-blob-type'] !== 'BlockBlob') return void response.writeHead(400).end();
    entry.content = body;
  }
  response.writeHead(201).end();
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
