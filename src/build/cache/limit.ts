import { statfsSync } from 'node:fs';
import { BuildError } from '../error.ts';

/** The most that a build cache takes unless it is said. */
const usualMost = 50e9;
const usualShare = 0.1;

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/**
 * How many bytes the build cache may take: `setting` is a size (`20GB`), a share of the file system (`5%`) or `off`; a tenth of the file
 * system and at most 50 GB unless given.
 * @param folder on that file system
 * @throws BuildError CACHE_SIZE_INVALID
 */
export function cacheLimit(folder: string, setting: string | undefined): number {
  if (setting === 'off') return Number.POSITIVE_INFINITY;
  const share = (part: number): number => {
    const { blocks, bsize } = statfsSync(folder);
    return Math.floor(blocks * bsize * part);
  };
  if (setting === undefined || setting === '') return Math.min(usualMost, share(usualShare));
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(%|[kmgt]?b?)$/i.exec(setting.trim()) ?? [];
  if (number === undefined || unit === undefined) {
    throw new BuildError('CACHE_SIZE_INVALID', `SLIPWAY_CACHE_SIZE is no size: ${setting}`, {
      exitCode: 125,
      hint: 'sizes look like 20GB, 5% or off',
    });
  }
  if (unit === '%') return share(Number(number) / 100);
  return Math.floor(Number(number) * (units[unit.toLowerCase().replace('b', '')] ?? 1));
}
