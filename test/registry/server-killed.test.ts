import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, mediaTypes } from '../../src/oci/index.ts';
import { collectGarbage, openDiskStorage } from '../../src/registry/index.ts';
import { scratch } from './embedded.ts';
import { send } from './send.ts';

const rounds = 4;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(scratch, 'server-killed-'));
});
afterAll(() => rm(root, { recursive: true }));

async function serve(): Promise<{ readonly host: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'serve-child.ts'), root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { host: line.toString().trim(), child };
}

/** What was answered with success. */
interface Promised {
  readonly blobs: Set<string>;
  readonly tags: Map<string, string>;
}

/** Pushes images with one layer each until the server is gone. */
async function pushUntilKilled(host: string, name: string, promised: Promised, onPushed: () => void): Promise<void> {
  try {
    for (let at = 0; ; at += 1) {
      const layer = randomBytes(100_000 + at);
      const digest = digestOf(layer);
      const start = await send(host, 'POST', `/v2/${name}/blobs/uploads/`);
      const location = String(start.headers['location']);
      await send(host, 'PATCH', location, { body: layer.subarray(0, 50_000) });
      const put = await send(host, 'PUT', `${location}?digest=${digest}`, { body: layer.subarray(50_000) });
      if (put.status === 201) promised.blobs.add(`${name}@${digest}`);
      const descriptor = { mediaType: mediaTypes.ociLayer, digest, size: layer.length };
      const document = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: descriptor,
        layers: [descriptor],
      };
      const body = JSON.stringify(document);
      const tag = `t${at % 5}`;
      // Until it is answered either may be true.
      promised.tags.delete(`${name}:${tag}`);
      const headers = { 'content-type': mediaTypes.ociManifest };
      const pushed = await send(host, 'PUT', `/v2/${name}/manifests/${tag}`, { headers, body });
      if (pushed.status === 201) promised.tags.set(`${name}:${tag}`, digestOf(body));
      onPushed();
    }
  } catch {
    // the server is gone
  }
}

/** All that is there must be whole. */
async function inspect(host: string, name: string, promised: Promised): Promise<void> {
  for (const blob of promised.blobs) {
    const [of = '', digest = ''] = blob.split('@');
    if (of === name) expect((await send(host, 'HEAD', `/v2/${name}/blobs/${digest}`)).status).toBe(200);
  }
  const { tags = [] } = JSON.parse((await send(host, 'GET', `/v2/${name}/tags/list`)).body.toString()) as {
    tags?: string[];
  };
  for (const tag of tags) {
    const manifest = await send(host, 'GET', `/v2/${name}/manifests/${tag}`);
    expect(manifest.status).toBe(200);
    const expected = promised.tags.get(`${name}:${tag}`);
    if (expected !== undefined) expect(manifest.headers['docker-content-digest']).toBe(expected);
    const { layers } = JSON.parse(manifest.body.toString()) as { layers: { digest: string }[] };
    for (const { digest } of layers) {
      const layer = await send(host, 'GET', `/v2/${name}/blobs/${digest}`);
      expect([layer.status, digestOf(layer.body)]).toEqual([200, digest]);
    }
  }
  expect(tags.length).toBeGreaterThanOrEqual(
    [...promised.tags.keys()].filter((key) => key.startsWith(`${name}:`)).length,
  );
}

async function misnamed(folder: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const file of await readdir(folder).catch(() => [])) {
    const hex = createHash('sha256')
      .update(await readFile(join(folder, file)))
      .digest('hex');
    if (hex !== file) wrong.push(file);
  }
  return wrong;
}

describe('a registry that is killed', () => {
  it(`has all that it had answered, and nothing half done, ${rounds} times`, async () => {
    const promised: Promised = { blobs: new Set(), tags: new Map() };
    const names = ['one', 'two/three'];
    for (let round = 0; round < rounds; round += 1) {
      const { host, child } = await serve();
      const exited = once(child, 'exit');
      try {
        for (const name of names) if (round > 0) await inspect(host, name, promised);
        const killSoon = (): void => void setTimeout(() => child.kill('SIGKILL'), Math.random() * 200);
        const pushing = names.map((name) => pushUntilKilled(host, name, promised, killSoon));
        await Promise.all(pushing);
      } finally {
        child.kill('SIGKILL');
        await exited;
      }
      for (const folder of ['_blobs/sha256', 'one/blobs/sha256', 'two/three/blobs/sha256']) {
        expect(await misnamed(join(root, folder))).toEqual([]);
      }
    }
    expect(promised.blobs.size).toBeGreaterThanOrEqual(rounds);
    const storage = await openDiskStorage(root);
    await collectGarbage(storage, { grace: 0, uploadAge: 0 });
    expect(await readdir(join(root, '_uploads'))).toEqual([]);
    const { host, child } = await serve();
    try {
      for (const name of names) await inspect(host, name, { ...promised, blobs: new Set() });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }, 60_000);
});
