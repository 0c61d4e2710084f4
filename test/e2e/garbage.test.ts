import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { runCli, slipway, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();

(reason === undefined ? describe : describe.skip)(
  `the build cache${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let home: string;
    let base: readonly string[];

    beforeAll(async () => {
      home = await testHome();
      base = await busyboxBase(join(home, 'busybox'));
      mkdirSync(join(home, 'empty'));
    });

    /** An image with three megabytes of chance, so that two ids are equal only where the cache gave its layer. */
    async function build(name: string, size = '1GB'): Promise<string> {
      const input = `FROM busybox\nRUN head -c 3000000 /dev/urandom > /${name}\n`;
      const env = { SLIPWAY_CACHE_SIZE: size };
      const id = await slipway(['build', '-q', ...base, '-t', name, '-f', '-', join(home, 'empty')], { input, env });
      await slipway(['rmi', name]);
      return id;
    }

    const cacheSize = async (): Promise<number> => {
      const usage = JSON.parse(await slipway(['system', 'df', '--json'])) as { buildCache: { size: number } };
      return usage.buildCache.size;
    };

    it('keeps itself within its size, and what is in use', async () => {
      const ids: string[] = [];
      for (const name of ['a', 'b', 'c']) ids.push(await build(name));
      expect(await cacheSize()).toBeGreaterThan(9e6);
      expect(await build('a')).toBe(ids[0]);
      const id = await build('d', '5MB');
      expect(await cacheSize()).toBeLessThan(9e6);
      expect(await build('d')).toBe(id);
      const again = [await build('a'), await build('b'), await build('c')];
      expect(again.filter((each) => ids.includes(each))).toHaveLength(1);
    });

    it('is pruned to a size, by age, or whole, and images stay if they are to', async () => {
      const input = 'FROM busybox\nRUN head -c 9 /dev/urandom > /kept\n';
      await slipway(['build', '-q', ...base, '-t', 'kept', '-f', '-', join(home, 'empty')], { input });
      const id = await build('e');
      const pruned = async (...flags: readonly string[]) =>
        JSON.parse(await slipway(['prune', '-f', '--json', ...flags])) as {
          deletedCacheRecords: string[];
          deleted: string[];
        };
      expect((await pruned('-a', '--filter', 'until=1h')).deletedCacheRecords).toEqual([]);
      expect((await pruned('--no-images', '--max-used-space', '4MB')).deletedCacheRecords.length).toBeGreaterThan(0);
      expect(await cacheSize()).toBeLessThan(5e6);
      expect((await pruned('--no-images')).deleted).toEqual([]);
      expect(await cacheSize()).toBeLessThan(1e6);
      expect(await build('e')).not.toBe(id);
      expect(await slipway(['images', '-q', 'kept'])).not.toBe('');
      expect((await runCli(['prune', '-f', '--filter', 'nonsense'])).code).toBe(125);
    });
  },
);
