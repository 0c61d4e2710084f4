import { beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { whyNoBusyboxBase } from './busybox-base.ts';
import { cachedSteps, cacheProject, type CacheProject, stepCount } from './cache-project.ts';
import { slipway } from './run-cli.ts';

const reason = whyNoBusyboxBase();

interface Described {
  mediaType: string;
  digest: string;
  size: number;
}
interface Manifest {
  config: Described;
  layers: Described[];
}
interface Config {
  version: number;
  layers: Record<string, string>;
  records: { key: string; diffId: string; parent?: string }[];
}

/** A cache in a layout folder that somebody tampers with. */
class Tampered {
  readonly #folder: string;
  manifest: Manifest = { config: { mediaType: '', digest: '', size: 0 }, layers: [] };
  config: Config = { version: 0, layers: {}, records: [] };

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<void> {
    const index = JSON.parse(await readFile(join(this.#folder, 'index.json'), 'utf8')) as { manifests: Described[] };
    this.manifest = (await this.#read(index.manifests[0]?.digest ?? '')) as Manifest;
    this.config = (await this.#read(this.manifest.config.digest)) as Config;
  }

  async #read(digest: string): Promise<unknown> {
    return JSON.parse(await readFile(this.path(digest), 'utf8'));
  }

  path(digest: string): string {
    return join(this.#folder, 'blobs', 'sha256', digest.slice(7));
  }

  /** Adds a blob, as a layer of the manifest too. */
  async layer(content: Buffer): Promise<string> {
    const blob = await this.write(content, 'application/vnd.oci.image.layer.v1.tar+gzip');
    this.manifest.layers.push(blob);
    return blob.digest;
  }

  async write(content: Buffer, mediaType: string): Promise<Described> {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    await writeFile(this.path(digest), content);
    return { mediaType, digest, size: content.length };
  }

  /** Makes config, manifest and index fit again. */
  async close(config: Buffer = Buffer.from(JSON.stringify(this.config))): Promise<void> {
    this.manifest.config = await this.write(config, this.manifest.config.mediaType);
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = await this.write(
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...this.manifest })),
      mediaType,
    );
    const entry = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } };
    await writeFile(join(this.#folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  }
}

(reason === undefined ? describe : describe.skip)(
  `a poisoned cache${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let project: CacheProject;
    let clean: string;
    /** diffIDs of the result, lowest first: base, /random, /out, /all. */
    let result: readonly string[];

    beforeAll(async () => {
      project = await cacheProject();
      clean = join(project.home, 'clean');
      await project.build('first', ['-t', 'first', '--cache-to', `type=local,dest=${clean},mode=max`]);
      const [found] = JSON.parse(
        await slipway(['inspect', 'first'], { env: { SLIPWAY_ROOT: join(project.home, 'first') } }),
      ) as [{ RootFS: { Layers: string[] } }];
      result = found.RootFS.Layers;
    }, 60_000);

    /** A tampered copy of the cache: what `--cache-from` says of it. */
    const tampered = async (name: string, tamper: (cache: Tampered) => Promise<void>): Promise<string> => {
      const folder = join(project.home, name);
      await cp(clean, folder, { recursive: true });
      const cache = new Tampered(folder);
      await cache.open();
      await tamper(cache);
      return `type=local,src=${folder}`;
    };

    /** Builds with caches, and looks at what came out. */
    const buildWith = async (...places: readonly string[]): Promise<string> => {
      const tree = join(project.home, 'tree');
      await rm(tree, { recursive: true, force: true });
      const from = places.flatMap((place) => ['--cache-from', place]);
      const { log } = await project.buildFresh(['-o', `type=local,dest=${tree}`, ...from]);
      const [all, out, random] = await Promise.all(['all', 'out', 'random'].map((name) => readFile(join(tree, name))));
      expect(all).toEqual(Buffer.concat([out ?? Buffer.alloc(0), random ?? Buffer.alloc(0)]));
      expect(out?.subarray(0, 6).toString()).toBe('first\n');
      expect(random?.length).toBe(300_016);
      return log;
    };

    const layers: readonly (readonly [string, RegExp, (cache: Tampered) => Promise<void>])[] = [
      [
        'a layer that is another one',
        /WARNING: layer [0-9a-f]{12} of the cache .* cannot be had, so its step is done again: a layer unpacks to sha256:/,
        async (cache) => {
          const [, a = '', b = ''] = result;
          const { layers: of } = cache.config;
          [of[a], of[b]] = [of[b] ?? '', of[a] ?? ''];
          await cache.close();
        },
      ],
      [
        'a layer of other bytes than its digest says',
        /WARNING: layer .* so its step is done again/,
        async (cache) => {
          const digest = cache.config.layers[result[1] ?? ''] ?? '';
          const content = await readFile(cache.path(digest));
          await writeFile(cache.path(digest), content.fill(7, 1000));
        },
      ],
      [
        'a layer that is not there',
        /WARNING: layer .* so its step is done again: sha256:[0-9a-f]{64} is not in oci:/,
        async (cache) => rm(cache.path(cache.config.layers[result[1] ?? ''] ?? '')),
      ],
      [
        'a layer that is no layer',
        /WARNING: layer .* so its step is done again/,
        async (cache) => {
          cache.config.layers[result[1] ?? ''] = await cache.layer(Buffer.alloc(10_000, 'no gzip'));
          await cache.close();
        },
      ],
    ];
    it.each(layers)('%s: a warning, and the step is done again', async (name, warning, tamper) => {
      const log = await buildWith(await tampered(name, tamper));
      expect(log).toMatch(warning);
      expect(cachedSteps(log)).toBeGreaterThan(0);
    });

    const documents: readonly (readonly [string, RegExp, (cache: Tampered) => Promise<void>])[] = [
      [
        'one of a later version',
        /^WARNING: no cache from .*: this cache has version 2, this program reads version 1$/m,
        async (cache) => {
          cache.config.version = 2;
          await cache.close();
        },
      ],
      [
        'one that is cut off',
        /^WARNING: no cache from .*: not a cache: cache config is not valid JSON$/m,
        (cache) => cache.close(Buffer.from(JSON.stringify(cache.config).slice(0, -10))),
      ],
      [
        "one of BuildKit's",
        /^WARNING: no cache from .*: BuildKit wrote this cache, which only BuildKit can read$/m,
        async (cache) => {
          cache.manifest.config.mediaType = 'application/vnd.buildkit.cacheconfig.v0';
          await cache.close();
        },
      ],
      [
        "one of BuildKit's in an image",
        /^WARNING: no cache from .*: BuildKit wrote this cache, which only BuildKit can read$/m,
        async (cache) => {
          cache.manifest.config.mediaType = 'application/vnd.oci.image.config.v1+json';
          const rootfs = { type: 'layers', diff_ids: [] };
          const config = { os: 'linux', architecture: 'amd64', rootfs, 'moby.buildkit.cache.v0': 'e30=' };
          await cache.close(Buffer.from(JSON.stringify(config)));
        },
      ],
      [
        'an image without a cache',
        /^no cache from .*: the image has no cache in it$/m,
        async (cache) => {
          cache.manifest.config.mediaType = 'application/vnd.oci.image.config.v1+json';
          const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };
          await cache.close(Buffer.from(JSON.stringify(config)));
        },
      ],
    ];
    it('whatever it is, is told in one line, and all steps are done', async () => {
      const places = await Promise.all(documents.map(([name, , tamper]) => tampered(name, tamper)));
      const log = await buildWith(...places);
      for (const [, message] of documents) expect(log).toMatch(message);
      expect(cachedSteps(log)).toBe(0);
    });

    it('what it has lost is left out where it is written on', async () => {
      const written = join(project.home, 'written');
      const from = await tampered('lost', async (cache) => {
        const others = Object.entries(cache.config.layers).filter(([diffId]) => !result.includes(diffId));
        await rm(cache.path(others[0]?.[1] ?? ''));
      });
      const { log } = await project.buildFresh([
        '--cache-from',
        from,
        '--cache-to',
        `type=local,dest=${written},mode=max`,
      ]);
      expect([cachedSteps(log), log.includes('WARNING: the cache')]).toEqual([stepCount, false]);
      const cache = new Tampered(written);
      await cache.open();
      expect([cache.config.records.length >= stepCount, Object.keys(cache.config.layers).length]).toEqual([
        true,
        stepCount - 1,
      ]);
    });

    it('untouched, it gives every step', async () => {
      expect(cachedSteps(await buildWith(`type=local,src=${clean}`))).toBe(stepCount);
    });
  },
);
