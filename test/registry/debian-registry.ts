import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const program = '/usr/bin/docker-registry';

/** False where Debian's package docker-registry is not installed; tests against it are then skipped. */
export const hasDebianRegistry = existsSync(program);

export interface DebianRegistry {
  readonly host: string;
  close(): Promise<void>;
}

/** PEM files: its certificate with its key, and the authority of those that may come in. */
export interface DebianSettings {
  readonly certificate?: string;
  readonly key?: string;
  /** Everybody may come in unless given. */
  readonly clients?: string;
  /** Further sections of its configuration: `auth: …`, `proxy: …`. */
  readonly sections?: string;
}

/** Debian's docker-registry on a free port of the loopback, over a directory of its own below `parent`. */
export async function debianRegistry(
  parent: string = existsSync('/dev/shm') ? '/dev/shm' : tmpdir(),
  settings: DebianSettings = {},
): Promise<DebianRegistry> {
  const root = await mkdtemp(join(parent, 'slipway-debian-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(root, 'config.yml');
  await writeFile(
    config,
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${join(root, 'data')} }, delete: { enabled: true } }
http: ${httpSection(host, settings)}
${settings.sections ?? ''}
`,
  );
  const child = spawn(program, ['serve', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(root, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await (settings.certificate === undefined && settings.sections === undefined ? answers(host) : isOpen(host)))
      return { host, close };
    await delay(50);
  }
  await close();
  throw new Error('docker-registry did not start');
}

function httpSection(host: string, { certificate, key, clients }: DebianSettings): string {
  if (certificate === undefined) return `{ addr: ${host} }`;
  const wanted = clients === undefined ? '' : `, clientcas: [${clients}]`;
  return `{ addr: ${host}, tls: { certificate: ${certificate}, key: ${key}${wanted} } }`;
}

function answers(host: string): Promise<boolean> {
  return fetch(`http://${host}/v2/`).then(
    (response) => response.ok,
    () => false,
  );
}

/** A server that wants to know us is asked no more than whether it listens. */
function isOpen(host: string): Promise<boolean> {
  const { hostname, port } = new URL(`http://${host}`);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === 'string' ? 0 : address.port;
}
