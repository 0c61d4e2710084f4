import { beforeAll, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { busyboxBase } from './busybox-base.ts';
import { ourRegistry } from './our-registry.ts';
import { describeWith } from './peer-programs.ts';
import { slipway, testHome } from './run-cli.ts';

describeWith(['busybox'], 'when layers are compressed', () => {
  let home: string;
  let base: readonly string[];

  beforeAll(async () => {
    home = await testHome();
    base = await busyboxBase(join(home, 'busybox'));
  });

  const storeOf = (name: string) => ({ env: { SLIPWAY_ROOT: join(home, name) } });
  const blobsOf = async (name: string): Promise<readonly string[]> => {
    const folder = join(home, name, 'blobs', 'sha256');
    return existsSync(folder) ? (await readdir(folder)).toSorted() : [];
  };
  /** What of files says that they are the same ones still. */
  const identitiesOf = async (name: string): Promise<readonly string[]> => {
    const folder = join(home, name, 'blobs', 'sha256');
    const files = await blobsOf(name);
    return Promise.all(
      files.map(async (file) => {
        const { ino, ctimeNs } = await stat(join(folder, file), { bigint: true });
        return `${file} ${ino} ${ctimeNs}`;
      }),
    );
  };
  /** What a registry's manifest names, lowest first. */
  const layersAt = async (host: string, repository: string): Promise<readonly string[]> => {
    const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
    const response = await fetch(`http://${host}/v2/${repository}/manifests/1`, { headers });
    const { layers } = (await response.json()) as { readonly layers: readonly { readonly digest: string }[] };
    return layers.map(({ digest }) => digest.slice('sha256:'.length));
  };
  const context = async (name: string, dockerfile: string): Promise<string> => {
    const folder = join(home, name);
    await mkdir(folder);
    await writeFile(join(folder, 'Dockerfile'), dockerfile);
    return folder;
  };

  it('a build that stays here compresses none; the first push does, and the next ones send what it made', async () => {
    const store = storeOf('once');
    const folder = await context('once-context', 'FROM busybox\nRUN echo one > /one\nRUN echo two > /two\n');
    const registry = await ourRegistry(join(home, 'once-registry'));
    try {
      const name = `${registry.host}/once:1`;
      await slipway(['build', '-q', '--network=none', ...base, '-t', name, folder], store);
      const before = await blobsOf('once'); // of the base
      await slipway(['push', name], store);
      const pushed = await identitiesOf('once');
      const own = (await layersAt(registry.host, 'once')).slice(-2);
      expect(before.filter((blob) => own.includes(blob))).toEqual([]);
      expect((await blobsOf('once')).filter((blob) => own.includes(blob))).toEqual(own.toSorted());
      await slipway(['tag', name, `${registry.host}/twice:1`], store);
      await slipway(['push', `${registry.host}/twice:1`], store);
      await slipway(['save', '-o', join(home, 'once.tar'), name], store);
      await slipway(
        ['build', '-q', '--network=none', ...base, '-o', `type=oci,dest=${join(home, 'o')}`, folder],
        store,
      );
      expect(await identitiesOf('once')).toEqual(pushed);
    } finally {
      await registry.close();
    }
  });

  it('a build that pushes compresses a layer while its next step runs', async () => {
    const registry = await ourRegistry(join(home, 'ahead-registry'));
    let before: readonly string[] = [];
    const isCompressed = async (): Promise<boolean> => {
      for (let tries = 0; tries < 300; tries++) {
        if ((await blobsOf('ahead')).length > before.length) return true;
        await delay(100);
      }
      return false;
    };
    // The second step ends when the store has a blob more than it had when the first one began.
    const server = createServer((_, response) => {
      isCompressed().then(
        (is) => response.writeHead(is ? 200 : 500).end(),
        () => response.writeHead(500).end(),
      );
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const store = storeOf('ahead');
      await slipway(
        ['build', '-q', ...base, '-t', 'base', await context('ahead-base', 'FROM busybox\nRUN :\n')],
        store,
      );
      before = await blobsOf('ahead');
      const steps = `RUN echo one > /one\nRUN wget -q -O /two http://127.0.0.1:${port}/\n`;
      const folder = await context('ahead-context', `FROM busybox\n${steps}`);
      const name = `${registry.host}/ahead:1`;
      await slipway(['build', '-q', '--network=host', ...base, '--push', '-t', name, folder], store);
      const sent = await layersAt(registry.host, 'ahead');
      expect((await blobsOf('ahead')).filter((blob) => sent.slice(-2).includes(blob))).toHaveLength(2);
    } finally {
      server.close();
      await registry.close();
    }
  });
});
