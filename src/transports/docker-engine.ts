import { readFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.ts';
import { type CallOptions, OciError } from '../oci/index.ts';
import { TransportError } from './error.ts';

const defaultHost = 'unix:///var/run/docker.sock';
/** Of an answer that is not an archive; bytes. */
const answerLimit = 1024 * 1024;
/** Without a byte; packing a large image keeps an engine busy before it sends the first. Milliseconds. */
const stallTimeout = 10 * 60_000;

/**
 * Saves an image from docker's engine (`GET /images/get`); podman's service speaks the same.
 * @throws OciError NOT_FOUND; TransportError ENGINE
 */
export async function saveFromEngine(name: string, options: CallOptions = {}): Promise<Readable> {
  const { response } = await ask({ method: 'GET', path: `/images/get?names=${encodeURIComponent(name)}` }, options);
  if (response.statusCode === 200) return response;
  throw await refusal(response, `save ${name}`);
}

/**
 * Loads a docker archive into docker's engine (`POST /images/load`).
 * @throws TransportError ENGINE
 */
export async function loadIntoEngine(archive: Readable, options: CallOptions = {}): Promise<void> {
  const headers = { 'content-type': 'application/x-tar' };
  const { response, sent } = await ask({ method: 'POST', path: '/images/load?quiet=1', headers }, options, archive);
  if (response.statusCode !== 200) throw await refusal(response, 'load the image');
  const answer = await textOf(response);
  await sent;
  // the status goes out before the work is done; what goes wrong then is a line of the answer
  for (const line of answer.split('\n').filter(Boolean)) {
    const error = errorIn(line);
    if (error !== undefined) throw new TransportError('ENGINE', `docker did not load the image: ${error}`);
  }
}

interface Answer {
  readonly response: IncomingMessage;
  /** Settles when the whole body went out. */
  readonly sent: Promise<void>;
}

async function ask(call: RequestOptions, { signal }: CallOptions, body?: Readable): Promise<Answer> {
  const engine = engineOptions();
  const options = { ...engine.options, ...call, timeout: stallTimeout, ...(signal === undefined ? {} : { signal }) };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request: ClientRequest = (engine.secure ? httpsRequest : httpRequest)(options, resolve);
  request.on('timeout', () => request.destroy(new Error('it sends and takes nothing any more')));
  request.on('error', reject);
  let sent = Promise.resolve();
  if (body === undefined) request.end();
  else sent = pipeline(body, request, signal === undefined ? {} : { signal });
  // an engine that refuses early breaks the upload; its answer says why
  sent.catch(() => {});
  try {
    return { response: await promise, sent };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TransportError('ENGINE', `docker's engine at ${engine.label} does not answer: ${messageOf(cause)}`, {
      cause,
      hint: 'Is it running? DOCKER_HOST says where: unix:///PATH or tcp://HOST:PORT.',
    });
  }
}

interface Engine {
  readonly label: string;
  readonly secure: boolean;
  readonly options: RequestOptions;
}

/** By docker's own variables. @throws TransportError INVALID_LOCATION */
function engineOptions(env: NodeJS.ProcessEnv = process.env): Engine {
  const host = env['DOCKER_HOST'] || defaultHost;
  const path = /^unix:\/\/(\/.+)$/.exec(host)?.[1];
  if (path !== undefined) return { label: host, secure: false, options: { socketPath: path, host: 'docker' } };
  const url = /^(?:tcp|http):\/\/[^/]+\/?$/.test(host) ? URL.parse(host.replace(/^tcp:/, 'http:')) : null;
  if (url === null) {
    throw new TransportError('INVALID_LOCATION', `DOCKER_HOST is not an address that can be spoken to: ${host}`, {
      hint: 'unix:///PATH and tcp://HOST:PORT can be',
    });
  }
  const { hostname, port } = url;
  if (!env['DOCKER_TLS_VERIFY']) return { label: host, secure: false, options: { hostname, port: port || 2375 } };
  const folder = env['DOCKER_CERT_PATH'] || join(env['HOME'] || homedir(), '.docker');
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFileSync(join(folder, name)));
  return { label: host, secure: true, options: { hostname, port: port || 2376, ca, cert, key } as RequestOptions };
}

async function refusal(response: IncomingMessage, what: string): Promise<Error> {
  const text = await textOf(response);
  const reason = errorIn(text) ?? text.slice(0, 300).trim();
  const message = `docker did not ${what}: ${reason === '' ? `status ${response.statusCode}` : reason}`;
  // podman says 500 where docker says 404
  const absent = response.statusCode === 404 || /image not known|no such image/i.test(reason);
  return absent ? new OciError('NOT_FOUND', message) : new TransportError('ENGINE', message);
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size <= answerLimit) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `{"message": …}` of a refusal, `{"error": …}` of work that failed. */
function errorIn(line: string): string | undefined {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields !== 'object' || fields === null) return undefined;
    const text = 'error' in fields ? fields.error : 'message' in fields ? fields.message : undefined;
    return typeof text === 'string' ? text.slice(0, 1000) : undefined;
  } catch {
    return undefined;
  }
}
