import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../src/oci/index.ts';
import { openMemoryStorage, type RegistryServerOptions, startRegistry } from '../../src/registry/index.ts';

const body = 'hello';
const path = `/v2/a/blobs/uploads/?digest=${digestOf(body)}`;

/** Sends headers alone, and the body once it is asked for; gives the status lines that came. */
async function ask(options: Partial<RegistryServerOptions>): Promise<readonly string[]> {
  await using server = await startRegistry({ storage: openMemoryStorage(), ...options });
  const [host, port] = server.host.split(':');
  const socket = connect(Number(port), host);
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
    if (heard.endsWith('100 Continue\r\n\r\n')) socket.write(body);
  });
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`,
  );
  await once(socket, 'close');
  return heard.match(/(?<=^HTTP\/1\.1 )\d+/gm) ?? [];
}

describe('a client that asks before it sends a body', () => {
  it('is told to, where the body is wanted', async () => {
    expect(await ask({})).toEqual(['100', '201']);
  });

  it.each([
    ['by the rules', { readOnly: true }, '405'],
    ['for its size', { largestBlob: 4 }, '413'],
    ['by a quota', { quota: 4 }, '403'],
  ])('is refused %s without sending it', async (_, options, status) => {
    expect(await ask(options)).toEqual([status]);
  });
});
