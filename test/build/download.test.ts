import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download } from '../../src/build/download.ts';
import { digestOf } from '../../src/oci/index.ts';

let server: Server;
let base: string;
let folder: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    if (pathname === '/moved') return void response.writeHead(302, { location: '/file.txt' }).end();
    if (pathname === '/round') return void response.writeHead(302, { location: '/round' }).end();
    if (pathname === '/cut') {
      response.writeHead(200, { 'content-length': '100' });
      return void response.write('abc', () => response.destroy());
    }
    if (pathname === '/missing') return void response.writeHead(404).end('no');
    response.writeHead(200, { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT' }).end('content');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'slipway-download-'));
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

describe('download', () => {
  it('keeps name and time, and is for its owner alone', async () => {
    const name = await download(`${base}/file.txt?token=secret`, folder, {});
    const stats = statSync(join(folder, name));
    expect([name, stats.mode & 0o777, stats.mtime.toISOString()]).toEqual([
      'file.txt',
      0o600,
      '2020-01-01T00:00:00.000Z',
    ]);
    expect(readFileSync(join(folder, name), 'utf8')).toBe('content');
  });

  it.each([
    ['/%2e%2e%2fescape', 'download'],
    ['/moved', 'moved'],
    ['/', 'download'],
    ['/100%', '100%'],
    [`/${'a'.repeat(256)}`, 'download'],
  ])('calls %s %s', async (path, name) => {
    const own = mkdtempSync(join(folder, 'own-'));
    expect(await download(base + path, own, {})).toBe(name);
    expect(readdirSync(own)).toEqual([name]);
  });

  it('checks the checksum', async () => {
    const own = mkdtempSync(join(folder, 'own-'));
    await download(`${base}/a`, own, { checksum: digestOf('content') });
    await expect(download(`${base}/b`, own, { checksum: digestOf('other') })).rejects.toMatchObject({
      code: 'CHECKSUM_MISMATCH',
    });
  });

  it('refuses what is no URL', async () => {
    await expect(download('http://[bad/x', folder, {})).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
  });

  it.each([
    ['/missing', /invalid response status 404/],
    ['/round', /more than 10 redirects/],
    ['/cut', /./],
  ])('fails for %s without showing what the query holds', async (path, message) => {
    const own = mkdtempSync(join(folder, 'own-'));
    const failed = await download(`${base}${path}?token=secret`, own, {}).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'DOWNLOAD_FAILED', message: expect.stringMatching(message) });
    expect((failed as Error).message).not.toContain('secret');
  });
});
