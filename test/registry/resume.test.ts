import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { describe as describeContent, mediaTypes, type TransferMemory } from '../../src/oci/index.ts';
import { openRepository, type RegistrySession } from '../../src/registry/index.ts';
import { quickSession } from './embedded.ts';
import { reply, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const content = randomBytes(3 * 1024 * 1024);
const descriptor = describeContent(mediaTypes.ociLayer, content);

let session: RegistrySession;
let server: ScriptedServer | undefined;
beforeAll(() => {
  session = quickSession({ stallTimeout: 1000, headersTimeout: 1000 });
});
afterAll(() => session.close());
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** What a registry has of the uploads that it opened; parts of requests that broke count. */
class Uploads {
  readonly bodies: (Buffer | undefined)[] = [];
  readonly asked: string[] = [];
  /** Bytes of request bodies in all. */
  moved = 0;
  stored: Buffer | undefined;
}

/** Spoils a request that has a body: after so many bytes of it (or before any) this becomes of it. `count` counts such requests. */
type Spoil = (method: string, count: number) => Deed | undefined;
interface Deed {
  readonly after: number;
  readonly answer?: { readonly status: number; readonly body?: string } | undefined;
  /** The upload is gone after it. */
  readonly forgets?: boolean;
}

/** A registry with one repository that hears what comes of a request before it breaks. */
async function registry(spoil: Spoil = () => undefined): Promise<Uploads> {
  const uploads = new Uploads();
  let spoilable = 0;
  const early = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { method = '', url = '' } = request;
    uploads.asked.push(method);
    const id = Number(/\/uploads\/(\d+)/.exec(url)?.[1] ?? -1);
    const send = (status: number, headers: Record<string, string> = {}, body = ''): void =>
      reply(response, status, headers, method === 'HEAD' ? '' : body);
    const place = (): Record<string, string> => ({
      location: `/v2/a/b/blobs/uploads/${id}`,
      range: `0-${Math.max(0, (uploads.bodies[id]?.length ?? 0) - 1)}`,
    });
    if (method === 'HEAD') {
      send(uploads.stored === undefined ? 404 : 200);
    } else if (method === 'POST') {
      uploads.bodies.push(Buffer.alloc(0));
      send(202, { location: `/v2/a/b/blobs/uploads/${uploads.bodies.length - 1}` });
    } else if (uploads.bodies[id] === undefined) {
      send(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
    } else if (method === 'GET') {
      send(204, place());
    } else if (method === 'DELETE') {
      uploads.bodies[id] = undefined;
      send(204);
    } else {
      receive({ request, response, id, deed: spoil(method, spoilable++) }, uploads, send, place);
    }
    return true;
  };
  server = await scriptedServer(() => undefined, { early });
  return uploads;
}

interface Receiving {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: number;
  readonly deed: Deed | undefined;
}

function receive(
  { request, response, id, deed }: Receiving,
  uploads: Uploads,
  send: (status: number, headers?: Record<string, string>, body?: string) => void,
  place: () => Record<string, string>,
): void {
  const before = uploads.bodies[id] ?? Buffer.alloc(0);
  const start = /^(\d+)-/.exec(String(request.headers['content-range'] ?? ''))?.[1];
  if (start !== undefined && Number(start) !== before.length) return send(416, place());
  const chunks: Buffer[] = [];
  let length = 0;
  const keep = (): void => {
    uploads.bodies[id] = Buffer.concat([before, ...chunks]);
    if (deed?.forgets === true) uploads.bodies[id] = undefined;
  };
  request.on('data', (chunk: Buffer) => {
    if (deed !== undefined && length >= deed.after) return;
    chunks.push(chunk);
    length += chunk.length;
    uploads.moved += chunk.length;
    if (deed === undefined || length < deed.after) return;
    keep();
    if (deed.answer === undefined) response.destroy();
    else {
      response.setHeader('connection', 'close');
      send(deed.answer.status, {}, deed.answer.body);
    }
  });
  request.on('end', () => {
    if (deed !== undefined && length >= deed.after) {
      if (deed.after === 0) {
        keep();
        send(deed.answer?.status ?? 500, {}, deed.answer?.body);
      }
      return;
    }
    keep();
    if (request.method === 'PATCH') return send(202, place());
    const whole = uploads.bodies[id] ?? Buffer.alloc(0);
    if (!whole.equals(content)) return send(400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}');
    uploads.stored = whole;
    send(201);
  });
}

async function push(memory?: TransferMemory, signal?: AbortSignal, bytes: Buffer = content): Promise<number[]> {
  const offsets: number[] = [];
  const source = async (offset: number): Promise<Readable> => {
    offsets.push(offset);
    async function* pieces(): AsyncGenerator<Buffer> {
      for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
    }
    return Readable.from(pieces(), { objectMode: false });
  };
  const target = openRepository(`${server?.host}/a/b`, { session, credential: 'anonymous' });
  await target.pushFrom(descriptor, source, { memory, signal });
  return offsets;
}

/** As the store keeps it. */
function memory(): TransferMemory & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  const keyOf = (place: string, digest: string): string => `${place} ${digest}`;
  return {
    kept,
    take: (place, digest) => kept.get(keyOf(place, digest)),
    keep: (place, digest, state) => void kept.set(keyOf(place, digest), state),
    forget: (place, digest) => void kept.delete(keyOf(place, digest)),
  };
}

const once =
  (deed: Deed): Spoil =>
  (_, count) =>
    count === 0 ? deed : undefined;

describe('an upload of content that can be read again', () => {
  it('is one PUT', async () => {
    const uploads = await registry();
    expect(await push()).toEqual([0]);
    expect(uploads.asked).toEqual(['POST', 'PUT']);
  });

  const ecr = 'First byte of the layer part is 0 instead of 1048576';
  const spoiled: readonly (readonly [string, Spoil, { readonly movedMost: number }])[] = [
    ['after the connection broke', once({ after: 1 << 20 }), { movedMost: 1.2 }],
    ['after it broke five times', (_, count) => (count < 5 ? { after: 500_000 } : undefined), { movedMost: 1.2 }],
    ['after a 401 in its middle', once({ after: 1 << 20, answer: { status: 401 } }), { movedMost: 1.2 }],
    ['after an early 503', once({ after: 1 << 20, answer: { status: 503 } }), { movedMost: 1.2 }],
    ['after 500 on the whole', once({ after: 0, answer: { status: 500 } }), { movedMost: 1.1 }],
    ['in portions after 413', once({ after: 1, answer: { status: 413 } }), { movedMost: 1.1 }],
    ['in a new one where the old is gone', once({ after: 1 << 20, forgets: true }), { movedMost: 1.5 }],
    ['after a 416', once({ after: 1 << 20, answer: { status: 416, body: ecr } }), { movedMost: 1.2 }],
  ];
  it.each(spoiled)('goes on %s', async (_, spoil, { movedMost }) => {
    const uploads = await registry(spoil);
    await push();
    expect(uploads.stored?.equals(content)).toBe(true);
    expect(uploads.moved / content.length).toBeLessThan(movedMost);
  });

  it('is refused with its own error where the content is wrong, and tells whose fault it is', async () => {
    await registry();
    await expect(push(undefined, undefined, randomBytes(content.length))).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect(server).toBeDefined();
  });

  it('fails with what the registry says, and is cancelled', async () => {
    const uploads = await registry(once({ after: 1 << 20, answer: { status: 403 } }));
    await expect(push()).rejects.toMatchObject({ code: 'DENIED' });
    expect(uploads.asked.at(-1)).toBe('DELETE');
  });
});

describe('an upload that a process left', () => {
  /** Breaks off in the middle of the first push, as a process does that is stopped. */
  async function leave(spoil: Spoil = () => undefined) {
    const kept = memory();
    const stop = new AbortController();
    const uploads = await registry((method, count) => {
      if (count > 0) return spoil(method, count);
      return { after: 1 << 20, answer: { status: 503 } };
    });
    const pushed = push(kept, stop.signal);
    // the answer makes it wait, and then it is stopped
    while (uploads.bodies[0] === undefined || uploads.bodies[0].length < 1 << 20) await session.clock.sleep(1);
    stop.abort();
    await expect(pushed).rejects.toThrow();
    return { kept, uploads };
  }

  it('is gone on with by the next', async () => {
    const { kept, uploads } = await leave();
    expect([...kept.kept.keys()]).toEqual([`${server?.host}/a/b ${descriptor.digest}`]);
    const has = uploads.bodies[0]?.length ?? 0;
    uploads.asked.length = 0;
    expect(await push(kept)).toEqual([has]);
    expect(uploads.asked).toEqual(['GET', 'PATCH', 'PUT']);
    expect(uploads.stored?.equals(content)).toBe(true);
    expect(kept.kept.size).toBe(0);
  });

  it('is begun anew where the registry forgot it', async () => {
    const { kept, uploads } = await leave();
    uploads.bodies[0] = undefined;
    expect(await push(kept)).toEqual([0]);
    expect(uploads.stored?.equals(content)).toBe(true);
  });

  it.each(['nonsense', '{"location":"ftp://x/y","minimumChunk":0}', '{"location":"http://x/","minimumChunk":-1}'])(
    'whose record is %s is begun anew',
    async (state) => {
      const kept = memory();
      const uploads = await registry();
      kept.keep(`${server?.host}/a/b`, descriptor.digest, state);
      expect(await push(kept)).toEqual([0]);
      expect(uploads.asked).toEqual(['POST', 'PUT']);
    },
  );
});
