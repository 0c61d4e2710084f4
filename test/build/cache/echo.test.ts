import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheService } from '../../../src/build/cache/gha/service.ts';
import { S3Backend } from '../../../src/build/cache/s3/backend.ts';
import { BuildError } from '../../../src/build/index.ts';

const token = 'gha-token-canary';
const before = { ...process.env };

/** A server that refuses, and repeats in its words all that it was sent. */
const server = createServer((request, response) => {
  request.resume();
  const said = JSON.stringify(request.headers);
  if (isTwirp(request)) response.writeHead(400).end(JSON.stringify({ msg: said }));
  else response.writeHead(403).end(`<Error><Code>Denied</Code><Message>${said}</Message></Error>`);
});

function isTwirp({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/twirp/');
}

function address(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** All that `--debug` would show of a failure. */
async function told(work: Promise<unknown>): Promise<string> {
  const errors: string[] = [];
  let error: unknown = await work.catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(BuildError);
  for (; error instanceof Error; error = error.cause) errors.push(error.message, error.stack ?? '');
  return errors.join('\n');
}

describe('a cache server that repeats what it was sent', () => {
  beforeAll(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKTEST', AWS_SECRET_ACCESS_KEY: 'secret-canary' });
    process.env['AWS_SESSION_TOKEN'] = 'session-canary';
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(() => {
    process.env = before;
    server.closeAllConnections();
    server.close();
  });

  it('tells no token of a bucket', async () => {
    const place = { bucket: 'b', region: 'eu-test-1', prefix: '', endpoint: address(), pathStyle: true };
    using backend = new S3Backend(place);
    const text = await told(backend.readLatest('name', {}));
    expect(text).toContain('Denied');
    expect(text).not.toMatch(/canary|Signature=[0-9a-f]/);
  });

  it("tells no token of GitHub's cache service", async () => {
    const text = await told(new CacheService(address(), token).find('prefix', 'version', {}));
    expect(text).toContain('400: ');
    expect(text).not.toContain('canary');
  });
});
