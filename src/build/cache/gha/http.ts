import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../errors.ts';
import type { CallOptions } from '../../../oci/index.ts';
import { BuildError } from '../../error.ts';

export interface Sent extends CallOptions {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body: Readable;
}

const attempts = 5;
/** Milliseconds. */
const firstPause = 200;
const longestPause = 30_000;
const transient = new Set([408, 429, 500, 502, 503, 504]);

/** Sends a request, again where a failure may pass. Never redirected: a token and signed URLs are for one place. */
export async function send(url: string, request: Sent): Promise<Answer> {
  const { request: dispatch } = await import('undici');
  const { method, headers = {}, body, signal } = request;
  for (let attempt = 1; ; attempt++) {
    let pause = Math.random() * Math.min(longestPause, firstPause * 2 ** attempt);
    try {
      const answer = await dispatch(url, { method, headers, body: body ?? null, signal: signal ?? null });
      if (attempt >= attempts || !transient.has(answer.statusCode)) {
        return { status: answer.statusCode, body: answer.body };
      }
      pause = Math.max(pause, secondsOf(answer.headers['retry-after']) * 1000);
      await answer.body.dump();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attempts) {
        const { host } = new URL(url); // the rest of a signed URL is a secret
        throw new BuildError('CACHE_UNAVAILABLE', `cannot reach ${host}: ${messageOf(error)}`, { cause: error });
      }
    }
    await sleep(Math.min(pause, longestPause), undefined, signal === undefined ? {} : { signal });
  }
}

function secondsOf(header: string | string[] | undefined): number {
  return typeof header === 'string' && /^\d{1,4}$/.test(header) ? Number(header) : 0;
}

/** All of a small answer. */
export async function readAll(body: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > limit) {
      body.destroy();
      throw new BuildError('CACHE_UNAVAILABLE', `an answer has more than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
