import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { c } from 'tar';
import { lockedPackage } from '../../../tools/single-file/locked-package.ts';

const integrityOf = (bytes: Buffer): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

let root: string;
let archive: Buffer;
let registry: Server;
let requests: string[];
const before = process.env['npm_config_registry'];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'slipway-locked-'));
  mkdirSync(join(root, 'package'));
  writeFileSync(join(root, 'package', 'package.json'), '{"name":"@a/tool","version":"1.0.0"}');
  writeFileSync(join(root, 'package', 'program'), 'bytes');
  await c({ file: join(root, 'tool.tgz'), cwd: root, gzip: true }, ['package']);
  archive = readFileSync(join(root, 'tool.tgz'));
  requests = [];
  registry = createServer((request, response) => {
    requests.push(request.url ?? '');
    const tarball = `${process.env['npm_config_registry']}tool.tgz`;
    const version = { name: '@a/tool', version: '1.0.0', dist: { tarball, integrity: integrityOf(archive) } };
    const packument = { name: '@a/tool', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } };
    response.end(request.url === '/tool.tgz' ? archive : JSON.stringify(packument));
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  process.env['npm_config_registry'] = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
});

afterAll(() => {
  registry.closeAllConnections();
  registry.close();
  if (before === undefined) delete process.env['npm_config_registry'];
  else process.env['npm_config_registry'] = before;
  rmSync(root, { recursive: true });
});

function checkout(name: string, integrity: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  const packages = { 'node_modules/@a/tool': { version: '1.0.0', integrity } };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
  return folder;
}

it('a package that npm left out is fetched once', async () => {
  const folder = checkout('good', integrityOf(archive));
  const found = await lockedPackage(folder, '@a/tool');
  expect(readFileSync(join(found, 'program'), 'utf8')).toBe('bytes');
  expect(requests).toContain('/tool.tgz');
  requests = [];
  expect(await lockedPackage(folder, '@a/tool')).toBe(found);
  expect(requests).toEqual([]);
});

it('one that is not what the lock says is refused and not kept', async () => {
  const folder = checkout('other', integrityOf(Buffer.from('other')));
  await expect(lockedPackage(folder, '@a/tool')).rejects.toThrow(
    /@a\/tool@1\.0\.0 is sha512-.*; package-lock\.json says/,
  );
  expect(readdirSync(join(folder, '.cache', 'packages'))).toEqual([]);
});

it('one that is installed is taken as it is', async () => {
  const folder = checkout('installed', integrityOf(archive));
  mkdirSync(join(folder, 'node_modules', '@a', 'tool'), { recursive: true });
  expect(await lockedPackage(folder, '@a/tool')).toBe(join(folder, 'node_modules', '@a', 'tool'));
  expect(existsSync(join(folder, '.cache'))).toBe(false);
});

it('one that the lock does not know is an error', async () => {
  await expect(lockedPackage(checkout('unknown', ''), '@b/tool')).rejects.toThrow('has no digest of @b/tool');
});
