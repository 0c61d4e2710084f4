import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  copyGraph,
  describe as describeContent,
  type Descriptor,
  digestOf,
  fetchBytes,
  mediaTypes,
  parseManifest,
  serializeConfig,
  serializeManifest,
} from '../../src/oci/index.ts';
import { MemoryTarget, openSink, openSource } from '../../src/transports/index.ts';

const before = process.env['DOCKER_HOST'];
afterEach(() => {
  if (before === undefined) delete process.env['DOCKER_HOST'];
  else process.env['DOCKER_HOST'] = before;
});

const at = (path: string) => ({ kind: 'docker-daemon', path, reference: '' }) as const;
const layer = Buffer.alloc(10_240); // an empty tar

/** An image that an engine takes: its layer is a tar. */
async function makeImage(to: MemoryTarget): Promise<Descriptor> {
  const config = serializeConfig({
    platform: { os: 'linux', architecture: 'amd64' },
    config: { Cmd: ['sh'] },
    diffIds: [digestOf(layer)],
    history: [{ createdBy: 'test' }],
  });
  const parts = [describeContent(mediaTypes.ociConfig, config), describeContent(mediaTypes.ociLayer, layer)] as const;
  await to.push(parts[0], config);
  await to.push(parts[1], layer);
  const manifest = {
    kind: 'manifest',
    mediaType: mediaTypes.ociManifest,
    config: parts[0],
    layers: [parts[1]],
  } as const;
  const content = serializeManifest(manifest);
  const descriptor = describeContent(mediaTypes.ociManifest, content);
  await to.push(descriptor, content);
  return descriptor;
}

async function load(name: string): Promise<MemoryTarget> {
  const memory = new MemoryTarget();
  const root = await makeImage(memory);
  await using sink = await openSink(at(name));
  await copyGraph(memory, sink, root, { names: [''] });
  await sink.commit();
  return memory;
}

const hasPodman = existsSync('/usr/bin/podman') && process.getuid?.() === 0;
(hasPodman ? describe : describe.skip)("an engine that speaks docker's API (needs podman, root)", () => {
  let folder: string;
  let service: ChildProcess;
  let socket: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-engine-'));
    socket = join(folder, 'podman.sock');
    const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
    const flags = [...storage, '--tmpdir', join(folder, 'libpod'), '--cgroup-manager', 'cgroupfs'];
    service = spawn('podman', [...flags, 'system', 'service', '--time=0', `unix://${socket}`], {
      stdio: 'ignore',
      env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, HOME: folder, TMPDIR: folder, XDG_RUNTIME_DIR: folder },
    });
    for (let attempt = 0; attempt < 200 && !existsSync(socket); attempt++) await delay(50);
  });
  afterAll(async () => {
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });

  it('takes an image and gives it back', async () => {
    process.env['DOCKER_HOST'] = `unix://${socket}`;
    const memory = await load('localhost/team/app:1');
    await using source = await openSource(at('localhost/team/app:1'));
    const root = await source.resolve('');
    const manifest = parseManifest(await fetchBytes(source, root), root.mediaType);
    expect(manifest.layers).toHaveLength(1);
    expect(JSON.parse((await fetchBytes(source, manifest.config)).toString())).toMatchObject({
      config: { Cmd: ['sh'] },
    });
    await copyGraph(source, memory, root);
    await expect(openSource(at('localhost/team/nosuch:1'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('an engine', () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });

  async function answering(status: number, body: string): Promise<void> {
    server = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(status).end(body));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    process.env['DOCKER_HOST'] = `tcp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  it('that fails at its work after it said yes is believed', async () => {
    await answering(200, '{"stream":"Loading layer"}\n{"errorDetail":{},"error":"no space left on device"}\n');
    await expect(load('app')).rejects.toMatchObject({ code: 'ENGINE', message: expect.stringContaining('no space') });
  });

  it.each([
    [404, '{"message":"No such image: app"}', 'NOT_FOUND', 'No such image: app'],
    [500, 'a page', 'ENGINE', 'a page'],
    [503, '', 'ENGINE', 'status 503'],
  ])('that refuses with %d says why', async (status, body, code, message) => {
    await answering(status, body);
    await expect(openSource(at('app'))).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it.each([
    ['unix:///no/such/socket', 'ENGINE'],
    ['ssh://me@host', 'INVALID_LOCATION'],
    ['tcp://host:1/path', 'INVALID_LOCATION'],
  ])('at %s is not there', async (host, code) => {
    process.env['DOCKER_HOST'] = host;
    await expect(openSource(at('app'))).rejects.toMatchObject({ code });
  });

  it('gets names, no digests', async () => {
    await expect(openSink(at(`app@${digestOf(layer)}`))).rejects.toMatchObject({ code: 'INVALID_LOCATION' });
  });
});
