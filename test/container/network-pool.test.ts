import { afterAll, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { type NetworkLease, NetworkPool } from '../../src/container/index.ts';
import { findNetavark } from '../../src/container/network/choose.ts';
import { currentPrivileges } from '../../src/system/index.ts';

const execute = promisify(execFile);
const reason = process.getuid?.() !== 0 ? 'needs root' : findNetavark() === undefined ? 'needs netavark' : undefined;
const test = reason === undefined ? it : it.skip;
const folder = mkdtempSync(join(tmpdir(), 'slipway-pool-'));
afterAll(() => rmSync(folder, { recursive: true }));

const poolOf = (most: number): NetworkPool =>
  new NetworkPool({ privileges: currentPrivileges(), folder: async () => folder, most });
const pathOf = ({ network }: NetworkLease): string => (typeof network === 'object' ? network.namespace : network);

test('gives each step one of its own, again and again, and lets others wait', async () => {
  const pool = poolOf(2);
  for (let step = 0; step < 3; step++) pool.warm('default');
  const first = await pool.acquire('default');
  const second = await pool.acquire('default');
  expect(pathOf(first)).not.toBe(pathOf(second));
  let third: NetworkLease | undefined;
  const waiting = pool.acquire('default').then((lease) => (third = lease));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(third).toBeUndefined();
  const path = pathOf(first);
  first[Symbol.dispose]();
  await waiting;
  expect(third === undefined ? undefined : pathOf(third)).toBe(path);
  const bridge = readFileSync(join(folder, 'network'), 'utf8');
  expect(existsSync(`/sys/class/net/${bridge}`)).toBe(true);
  expect(readdirSync(`/sys/class/net/${bridge}/brif`)).toHaveLength(2);
  await pool[Symbol.asyncDispose]();
  expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
});

test('gives the others what the first has: an address, a way out, and the machine to reach', async () => {
  await using pool = poolOf(3);
  for (let step = 0; step < 3; step++) pool.warm('default');
  const leases = await Promise.all([1, 2, 3].map(() => pool.acquire('default')));
  const server = createServer((socket) => socket.end(String(socket.remoteAddress))).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const seen = new Set<string>();
  for (const lease of leases) {
    const { network } = lease;
    if (typeof network !== 'object') throw new Error('it is not private');
    const inside = (...words: string[]) => execute('nsenter', [`--net=${network.namespace}`, ...words]);
    expect((await inside('ip', 'route')).stdout).toContain(`default via ${network.hostGateway} dev eth0`);
    const { stdout } = await inside('ip', '-4', '-o', 'address', 'show', 'dev', 'eth0');
    const [, address = 'no address', broadcast] = /inet (\S+)\/26 brd (\S+)/.exec(stdout) ?? [];
    expect(broadcast).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const said = await inside('bash', '-c', `cat </dev/tcp/${network.hostGateway}/${port}`);
    expect(said.stdout).toContain(address);
    expect((await inside('ip', '-o', 'link', 'show', 'up')).stdout).toMatch(/: lo: /);
    seen.add(address);
  }
  expect(seen.size).toBe(3);
  server.close();
  for (const lease of leases) lease[Symbol.dispose]();
});

test('gives nobody the network of a step that could change it', async () => {
  const pool = poolOf(1);
  const insecure = await pool.acquire('default', { lastUse: true });
  const path = pathOf(insecure);
  const waiting = pool.acquire('default');
  insecure[Symbol.dispose]();
  expect(pathOf(await waiting)).not.toBe(path);
  await pool[Symbol.asyncDispose]();
});

test('is taken down when it is told that nobody will ask, and made anew for who asks all the same', async () => {
  const pool = poolOf(2);
  pool.warm('default');
  (await pool.acquire('default'))[Symbol.dispose]();
  const bridges = [readFileSync(join(folder, 'network'), 'utf8')];
  pool.retire();
  const again = await pool.acquire('default');
  bridges.push(readFileSync(join(folder, 'network'), 'utf8'));
  expect(bridges[1]).not.toBe(bridges[0]);
  expect(existsSync(`/sys/class/net/${bridges[1]}`)).toBe(true);
  again[Symbol.dispose]();
  pool.warm('default'); // while it ends
  await pool[Symbol.asyncDispose]();
  expect(bridges.filter((bridge) => existsSync(`/sys/class/net/${bridge}`))).toEqual([]);
});

test('makes none where none is asked for', async () => {
  const pool = poolOf(2);
  pool.warm('none');
  expect(pathOf(await pool.acquire('host'))).toBe('host');
  expect(pathOf(await pool.acquire('none'))).toBe('none');
  expect((await pool.report()).description).toMatch(/^private \(netavark /);
  await pool[Symbol.asyncDispose]();
});

test('lets no one wait that was told to stop', async () => {
  const pool = poolOf(1);
  const held = await pool.acquire('default');
  const controller = new AbortController();
  const stopped = pool.acquire('default', { signal: controller.signal });
  const patient = pool.acquire('default');
  controller.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  held[Symbol.dispose]();
  expect(pathOf(await patient)).toBe(pathOf(held));
  await pool[Symbol.asyncDispose]();
});
