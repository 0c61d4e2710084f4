import { expect } from '@jest/globals';
import { algorithmOf, type Digest } from '../../../src/oci/index.ts';
import { type Answer, send, type SendOptions } from '../send.ts';

const octets = { 'content-type': 'application/octet-stream' };

export interface PushedBlob {
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** What a client does in one repository, with what the specification promises it at each step. */
export class RepositoryClient {
  readonly host: string;
  readonly name: string;

  constructor(host: string, name: string) {
    this.host = host;
    this.name = name;
  }

  in(name: string): RepositoryClient {
    return new RepositoryClient(this.host, name);
  }

  send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    // Locations may be absolute or not (distribution-spec, "POST then PUT").
    const below = path.replace(/^https?:\/\/[^/]+/, '');
    return send(this.host, method, below.startsWith('/') ? below : `/v2/${this.name}/${below}`, options);
  }

  async start(query = ''): Promise<string> {
    const answer = await this.send('POST', `blobs/uploads/${query}`);
    expect(answer.status).toBe(202);
    return locationOf(answer);
  }

  patch(location: string, bytes: Buffer, from?: number): Promise<Answer> {
    const range = from === undefined ? {} : { 'content-range': `${from}-${from + bytes.length - 1}` };
    return this.send('PATCH', location, {
      headers: { ...octets, ...range },
      body: bytes,
      streamed: from === undefined,
    });
  }

  put(location: string, digest: Digest, { bytes = Buffer.alloc(0), from }: { bytes?: Buffer; from?: number } = {}) {
    const range = from === undefined ? {} : { 'content-range': `${from}-${from + bytes.length - 1}` };
    const mark = location.includes('?') ? '&' : '?';
    return this.send('PUT', `${location}${mark}digest=${digest}`, { headers: { ...octets, ...range }, body: bytes });
  }

  /** The answer to a push, with the blob where it says. */
  async created(answer: Answer, { digest, bytes }: PushedBlob): Promise<void> {
    expect(answer.status).toBe(201);
    expect([undefined, digest]).toContain(answer.headers['docker-content-digest']);
    expect((await this.send('GET', locationOf(answer))).body.equals(bytes)).toBe(true);
  }

  async headsBlob(digest: Digest, bytes: Buffer): Promise<void> {
    const head = await this.send('HEAD', `blobs/${digest}`);
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, `${bytes.length}`]);
    expect(head.headers['docker-content-digest']).toBe(digest);
  }

  async getsBlob(digest: Digest, bytes: Buffer): Promise<void> {
    const got = await this.send('GET', `blobs/${digest}`);
    expect([got.status, got.headers['content-length']]).toEqual([200, `${bytes.length}`]);
    expect(got.headers['docker-content-digest']).toBe(digest);
    expect(got.body.equals(bytes)).toBe(true);
  }

  async deletes(path: string): Promise<void> {
    const answer = await this.send('DELETE', path);
    expect([path, answer.status]).toEqual([path, 202]);
    expect((await this.send('HEAD', path)).status).toBe(404);
  }

  async pushesBlob(blob: PushedBlob): Promise<void> {
    const algorithm = algorithmOf(blob.digest);
    const location = await this.start(algorithm === 'sha256' ? '' : `?digest-algorithm=${algorithm}`);
    await this.created(await this.put(location, blob.digest, { bytes: blob.bytes }), blob);
  }

  putManifest(reference: string, bytes: Buffer): Promise<Answer> {
    return this.send('PUT', `manifests/${reference}`, { headers: { 'content-type': typeOf(bytes) }, body: bytes });
  }

  async getsManifest(reference: string, digest: Digest, bytes: Buffer): Promise<void> {
    for (const method of ['HEAD', 'GET']) {
      const got = await this.send(method, `manifests/${reference}`, { headers: { accept: typeOf(bytes) } });
      expect([method, got.status, got.headers['content-type']]).toEqual([method, 200, typeOf(bytes)]);
      expect([got.headers['content-length'], got.headers['docker-content-digest']]).toEqual([
        `${bytes.length}`,
        digest,
      ]);
      expect(got.body.equals(method === 'HEAD' ? Buffer.alloc(0) : bytes)).toBe(true);
    }
  }
}

export function locationOf({ headers }: Answer): string {
  const { location } = headers;
  if (typeof location !== 'string' || location === '') throw new Error('no location');
  return location;
}

function typeOf(manifest: Buffer): string {
  return (JSON.parse(manifest.toString()) as { mediaType: string }).mediaType;
}
