import { createHash, randomBytes } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openLayout } from '../../src/transports/index.ts';
import { copyGraph } from '../../src/oci/index.ts';
import {
  openDiskStorage,
  openRepository,
  type RegistryStorage,
  type ServedRequest,
  startRegistry,
} from '../../src/registry/index.ts';
import { file, tar } from '../layer/tar-builder.ts';
import { embeddedRegistry, type EmbeddedRegistry } from '../registry/embedded.ts';
import { interrupted, killTimes } from './kill-points.ts';
import { leftovers } from './leftovers.ts';
import { makeImage, type MadeImage, writeLayout } from './made-image.ts';
import { slipway, testHome } from './run-cli.ts';

const isRoot = process.getuid?.() === 0;
/** More for a search of hours: `SLIPWAY_TEST_ROUNDS`. */
const rounds = Number(process.env['SLIPWAY_TEST_ROUNDS'] ?? 30);
/** Bytes a second, of each connection. */
const rate = 3 << 20;

interface SlowRegistry {
  readonly registry: Pick<EmbeddedRegistry, 'host' | 'url' | 'root'>;
  /** Where it is reached slowly. */
  readonly host: string;
  readonly served: ServedRequest[];
  close(): Promise<void>;
}

/** A registry behind a narrow wire. */
async function slowRegistry(): Promise<SlowRegistry> {
  const served: ServedRequest[] = [];
  const registry = await embeddedRegistry({ onRequest: (event) => served.push(event) });
  const [address = '', port = ''] = registry.host.split(':');
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), address);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy()).on('close', () => (open.delete(from), to.destroy()));
      from.on('end', () => to.end());
      from.on('data', (chunk) => {
        from.pause();
        if (!to.destroyed) to.write(chunk);
        setTimeout(() => from.resume(), (chunk.length / rate) * 1000);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listening = server.address();
  if (listening === null || typeof listening === 'string') throw new Error('no port');
  const close = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await registry.close();
  };
  return { registry, host: `127.0.0.1:${listening.port}`, served, close };
}

/** A registry that takes its time with every byte it gets. */
async function slowToTake(root: string): Promise<SlowRegistry> {
  const served: ServedRequest[] = [];
  const storage = await openDiskStorage(root);
  const startUpload: RegistryStorage['startUpload'] = async (place) => {
    const upload = await storage.startUpload(place);
    const append = upload.append.bind(upload);
    return Object.assign(upload, {
      append: async (chunk: Buffer) => {
        await delay(1);
        await append(chunk);
      },
    });
  };
  const server = await startRegistry({
    storage: { ...storage, startUpload },
    onRequest: (event) => served.push(event),
  });
  return { registry: { ...server, root }, host: server.host, served, close: () => server.close() };
}

/** Files that were found right, which nobody writes to any more. */
const right = new Set<string>();

/** Files below a folder that are named after a digest and have other content. */
function wrongFiles(folder: string): string[] {
  return globSync(join(folder, '**/*')).filter((path) => {
    if (!/^[0-9a-f]{64}$/.test(basename(path)) || path.includes('ingest') || right.has(path)) return false;
    if (createHash('sha256').update(readFileSync(path)).digest('hex') !== basename(path)) return true;
    right.add(path);
    return false;
  });
}

(isRoot ? describe : describe.skip)(`a transfer that is killed${isRoot ? '' : ' (needs root)'}`, () => {
  let home: string;
  let image: MadeImage;
  let large: MadeImage;
  let from: SlowRegistry;
  let to: SlowRegistry;

  beforeAll(async () => {
    home = await testHome();
    image = makeImage([1, 2, 3, 4].map((at) => tar({ ...file(`layer-${at}`), content: randomBytes(1 << 20) })));
    [from, to] = [await slowRegistry(), await slowToTake(join(home, 'registry'))];
    const layout = await openLayout(writeLayout(image, join(home, 'layout')));
    const repository = openRepository(`${from.registry.host}/app`, { credential: 'anonymous', access: 'push' });
    await copyGraph(layout, repository, await layout.resolve(image.manifest.digest), { names: ['1'] });
  });
  afterAll(async () => {
    await from?.close();
    await to?.close();
  });

  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = Date.now();
    await work();
    return Date.now() - began;
  };

  async function expectNothingLeft(): Promise<void> {
    for (let wait = 1; (await leftovers(home)).length > 0 && wait < 500; wait *= 2) await delay(wait);
    expect(await leftovers(home)).toEqual([]);
  }

  it(
    `in a pull, ${rounds} times: no wrong file, and the next goes on`,
    async () => {
      const name = `${from.host}/app:1`;
      const forget = async (): Promise<void> => {
        await slipway(['rmi', name]);
        await slipway(['prune', '--force']);
        right.clear();
      };
      const length = await timed(() => slipway(['pull', name]));
      await forget();
      expect(existsSync(join(home, 'store', 'ingest')) && globSync(join(home, 'store', 'ingest', '*'))).toEqual([]);
      from.served.length = 0;
      await killTimes(rounds, { stream: 11, length }, async (after) => {
        const { signal } = await interrupted(['pull', name], [['SIGKILL', after]]);
        expect(wrongFiles(join(home, 'store', 'blobs'))).toEqual([]);
        if (signal === 'SIGKILL') return 'killed';
        await forget();
        return 'finished';
      });
      expect(await slipway(['pull', name])).toContain(`Digest: ${image.manifest.digest}\n`);
      await expectNothingLeft();
      expect(from.served.some(({ status }) => status === 206)).toBe(true);
    },
    rounds * 8_000,
  );

  it(
    `in a push, ${rounds} times: no wrong file, no tag on what is not there, and the next goes on`,
    async () => {
      let at = 0;
      let name = await fresh(at);
      const length = await timed(() => slipway(['push', name]));
      to.served.length = 0;
      name = await fresh(++at);
      await killTimes(rounds, { stream: 12, length }, async (after) => {
        const { signal } = await interrupted(['push', name], [['SIGKILL', after]]);
        expect(wrongFiles(to.registry.root)).toEqual([]);
        await expectTagOnlyOnWhole(at);
        if (signal === 'SIGKILL') return 'killed';
        name = await fresh(++at);
        return 'finished';
      });
      expect(await slipway(['push', name])).toContain(large.manifest.digest);
      await expectTagOnlyOnWhole(at, 'there');
      await expectNothingLeft();
      expect(to.served.some(({ method }) => method === 'PATCH')).toBe(true);
    },
    rounds * 8_000,
  );

  /** An image that the registry has nothing of, with more bytes than buffers hold of a process that died; and its name there. */
  async function fresh(at: number): Promise<string> {
    const name = `${to.host}/app${at}:1`;
    large = makeImage([tar({ ...file('large'), content: randomBytes(12 << 20) })]);
    await slipway(['copy', `oci:${writeLayout(large, join(home, `large${at}`))}`, `store:${name}`]);
    return name;
  }

  /** Where the tag is there, so is all below it. */
  async function expectTagOnlyOnWhole(at: number, wanted: 'there' | 'perhaps' = 'perhaps'): Promise<void> {
    const base = `${to.registry.url}/v2/app${at}`;
    const status = async (path: string): Promise<number> => (await fetch(`${base}/${path}`, { method: 'HEAD' })).status;
    const tag = await status('manifests/1');
    if (wanted === 'there') expect(tag).toBe(200);
    if (tag !== 200) return;
    const blobs = [...large.blobs.keys()].filter((digest) => digest !== large.manifest.digest);
    expect(await Promise.all(blobs.map((digest) => status(`blobs/${digest}`)))).toEqual(blobs.map(() => 200));
  }
});
